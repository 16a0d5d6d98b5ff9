module mcplex.dev/bench/upstream

go 1.22

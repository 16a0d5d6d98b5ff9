// Command upstream is an MCP server that costs next to nothing, so that what is measured is the gateway in front of it.
//
// usage: upstream PORT legacy|modern
//
// It serves 50 tools of about 600 bytes at http://127.0.0.1:PORT/mcp. Each adds a and b, but "big", which answers with 115 kB.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
)

const toolCount = 50

type property struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

type schema struct {
	Type       string              `json:"type"`
	Properties map[string]property `json:"properties"`
	Required   []string            `json:"required"`
}

type tool struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	InputSchema schema `json:"inputSchema"`
}

type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string `json:"name"`
		Arguments struct {
			A float64 `json:"a"`
			B float64 `json:"b"`
		} `json:"arguments"`
	} `json:"params"`
}

// server holds every reply that does not depend on the request, ready as the text of a JSON object's members.
type server struct {
	greetMethod string
	greeting    string
	list        string
	big         string
	complete    string
}

func newServer(era string) server {
	s := server{greetMethod: "initialize"}
	cacheable := ""
	s.greeting = `"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench-upstream","version":"1.0.0"}`
	if era == "modern" {
		s.complete = `"resultType":"complete",`
		cacheable = `"ttlMs":60000,"cacheScope":"public",`
		s.greetMethod = "server/discover"
		s.greeting = s.complete + cacheable + `"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},` +
			`"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bench-upstream","version":"1.0.0"}}`
	}
	s.list = s.complete + cacheable + `"tools":` + encode(makeTools())
	s.big = s.complete + `"content":[{"type":"text","text":` + encode(strings.Repeat("She said \"no\",\nand left.\n", 3950)+"the end") + `}],"isError":false`
	return s
}

func makeTools() []tool {
	tools := make([]tool, toolCount)
	for i := range tools {
		name := fmt.Sprintf("tool_%02d", i)
		switch i {
		case 0:
			name = "add"
		case 1:
			name = "big"
		}
		tools[i] = tool{
			Name:        name,
			Title:       "Exact addition",
			Description: "Returns the sum of two numbers. Prefer it to arithmetic in the head whenever money, dates or measurements are involved, and say in the answer which numbers were added.",
			InputSchema: schema{
				Type:     "object",
				Required: []string{"a", "b"},
				Properties: map[string]property{
					"a":       {"number", "First summand", "The number that the other one is added to"},
					"b":       {"number", "Second summand", "The number that is added to the first one"},
					"comment": {"string", "Comment", "Why the sum is needed; stored beside it, never interpreted"},
				},
			},
		}
	}
	return tools
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}

// result returns the members of the reply's result, or false where the method is unknown.
func (s server) result(r request) (string, bool) {
	switch r.Method {
	case "tools/call":
		if r.Params.Name == "big" {
			return s.big, true
		}
		sum := strconv.FormatFloat(r.Params.Arguments.A+r.Params.Arguments.B, 'g', -1, 64)
		return s.complete + `"content":[{"type":"text","text":"` + sum + `"}],"isError":false`, true
	case "tools/list":
		return s.list, true
	case s.greetMethod:
		return s.greeting, true
	case "ping":
		return "", s.greetMethod == "initialize"
	}
	return "", false
}

func (s server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	if hr.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var r request
	body, err := io.ReadAll(hr.Body)
	if err != nil || json.Unmarshal(body, &r) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	status, outcome := http.StatusOK, ""
	if result, known := s.result(r); known {
		outcome = `"result":{` + result + `}`
	} else {
		status, outcome = http.StatusNotFound, `"error":{"code":-32601,"message":"Method not found"}`
	}
	reply := `{"jsonrpc":"2.0","id":` + string(r.ID) + `,` + outcome + `}`
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
	w.WriteHeader(status)
	io.WriteString(w, reply)
}

func main() {
	if len(os.Args) != 3 || (os.Args[2] != "legacy" && os.Args[2] != "modern") {
		log.Fatal("usage: upstream PORT legacy|modern")
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], newServer(os.Args[2])))
}

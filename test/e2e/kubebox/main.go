// Kubebox is a whole Kubernetes in one executable, for tests: its first argument says which program it is.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// Each program reads os.Args, where its own name is the first word, and gives its exit code.
var programs = map[string]func() int{
	"etcd":                    etcd,
	"kube-apiserver":          apiServer,
	"kube-controller-manager": controllerManager,
	"kube-scheduler":          scheduler,
	"kubelet":                 kubelet,
	"kube-proxy":              kubeProxy,
	"kubectl":                 kubectl,
	"cluster-dns":             clusterDNS,
	"load-balancer":           loadBalancer,
}

func main() {
	if len(os.Args) > 1 {
		if program, known := programs[os.Args[1]]; known {
			os.Args = os.Args[1:]
			os.Exit(program())
		}
	}
	names := slices.Sorted(maps.Keys(programs))
	fmt.Fprintf(os.Stderr, "usage: kubebox %s [argument ...]\n", strings.Join(names, "|"))
	os.Exit(2)
}

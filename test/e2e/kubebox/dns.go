package main

import (
	"flag"
	"log"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

const zone = ".svc.cluster.local."

// What a cluster knows by name: Services, and the pods behind those that have no address.
type names struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

// Answers questions for the names of Services over UDP; no other name exists. It goes on with what it knows while the API server is away.
func clusterDNS() int {
	listen := flag.String("listen", "127.0.0.1:53", "address and UDP port")
	_, factory := connect()
	known := names{factory.Core().V1().Services().Lister(), factory.Discovery().V1().EndpointSlices().Lister()}
	follow(factory)
	socket, err := net.ListenPacket("udp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	question := make([]byte, 4096)
	for {
		length, from, err := socket.ReadFrom(question)
		if err != nil {
			log.Fatal(err)
		}
		if answer, err := known.answer(question[:length]); err != nil {
			log.Print(err)
		} else if _, err := socket.WriteTo(answer, from); err != nil {
			log.Print(err)
		}
	}
}

func (known names) answer(packet []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	head, err := parser.Start(packet)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: head.ID, Response: true, Authoritative: true, RecursionDesired: head.RecursionDesired, RecursionAvailable: true},
		Questions: []dnsmessage.Question{question},
	}
	add := func(kind dnsmessage.Type, body dnsmessage.ResourceBody) {
		resource := dnsmessage.ResourceHeader{Name: question.Name, Type: kind, Class: dnsmessage.ClassINET, TTL: 2}
		reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: resource, Body: body})
	}
	addresses, alias := known.lookUp(strings.ToLower(question.Name.String()))
	if alias != "" {
		name, err := dnsmessage.NewName(strings.TrimSuffix(alias, ".") + ".")
		if err != nil {
			return nil, err
		}
		add(dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: name})
	} else if len(addresses) == 0 {
		reply.RCode = dnsmessage.RCodeNameError
	} else if question.Type == dnsmessage.TypeA {
		for _, address := range addresses {
			add(dnsmessage.TypeA, &dnsmessage.AResource{A: address.As4()})
		}
	}
	return reply.Pack()
}

// The IPv4 addresses of a name, or the other name that an ExternalName stands for; neither where there is no such name.
func (known names) lookUp(name string) (addresses []netip.Addr, alias string) {
	short, isOurs := strings.CutSuffix(name, zone)
	service, namespace, _ := strings.Cut(short, ".")
	if !isOurs {
		return nil, ""
	}
	found, err := known.services.Services(namespace).Get(service)
	if err != nil {
		return nil, ""
	}
	if found.Spec.Type == core.ServiceTypeExternalName {
		return nil, found.Spec.ExternalName
	}
	if found.Spec.ClusterIP != core.ClusterIPNone {
		return parsed([]string{found.Spec.ClusterIP}), ""
	}
	slices, err := known.slices.EndpointSlices(namespace).List(labels.Set{discovery.LabelServiceName: service}.AsSelector())
	if err != nil {
		return nil, ""
	}
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				addresses = append(addresses, parsed(endpoint.Addresses)...)
			}
		}
	}
	return addresses, ""
}

func parsed(texts []string) (addresses []netip.Addr) {
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil && address.Is4() {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

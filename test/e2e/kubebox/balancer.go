package main

import (
	"context"
	"flag"
	"log"
	"maps"
	"net/netip"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Gives each Service of type LoadBalancer the lowest address of a range that no other has, as a cloud would. It moves no bytes: on the
// node, kube-proxy takes what is sent to such an address. Services of some class belong to somebody else, as the API says.
func loadBalancer() int {
	addresses := flag.String("range", "10.99.1.0/24", "where the addresses come from")
	client, factory := connect()
	services := factory.Core().V1().Services()
	changed := make(chan struct{}, 1)
	notice := func(any) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := services.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    notice,
		UpdateFunc: func(_, now any) { notice(now) },
		DeleteFunc: notice,
	}); err != nil {
		log.Fatal(err)
	}
	follow(factory)
	given := map[types.UID]string{}
	for range changed {
		all, err := services.Lister().List(labels.Everything())
		if err == nil {
			err = giveAddresses(client, all, netip.MustParsePrefix(*addresses), given)
		}
		if err != nil {
			log.Print(err)
			time.AfterFunc(time.Second, func() { notice(nil) })
		}
	}
	return 0
}

// What was given before is kept by Service, as a Service may be listed for a while as it was before.
func giveAddresses(client kubernetes.Interface, all []*core.Service, from netip.Prefix, given map[types.UID]string) error {
	taken := map[string]bool{}
	there := map[types.UID]bool{}
	for _, service := range all {
		there[service.UID] = true
		taken[given[service.UID]] = true
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			taken[ingress.IP] = true
		}
	}
	maps.DeleteFunc(given, func(service types.UID, _ string) bool { return !there[service] })
	next := from.Masked().Addr().Next()
	for _, service := range all {
		if service.Spec.Type != core.ServiceTypeLoadBalancer || service.Spec.LoadBalancerClass != nil || len(service.Status.LoadBalancer.Ingress) > 0 {
			continue
		}
		if given[service.UID] == "" {
			for taken[next.String()] {
				next = next.Next()
			}
			taken[next.String()] = true
			given[service.UID] = next.String()
		}
		wanted := service.DeepCopy()
		wanted.Status.LoadBalancer.Ingress = []core.LoadBalancerIngress{{IP: given[service.UID]}}
		_, err := client.CoreV1().Services(wanted.Namespace).UpdateStatus(context.Background(), wanted, meta.UpdateOptions{})
		// a newer one is on its way to the list
		if err != nil && !errors.IsConflict(err) && !errors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

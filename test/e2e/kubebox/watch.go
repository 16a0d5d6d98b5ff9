package main

import (
	"context"
	"flag"
	"log"
	"os"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// A connection to the API server as --kubeconfig says, with whatever other flags the program has defined.
func connect() (kubernetes.Interface, informers.SharedInformerFactory) {
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig")
	if err := flag.CommandLine.Parse(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	return client, informers.NewSharedInformerFactory(client, 0)
}

// Follows whatever was asked of the factory; returns when all of it has been read once.
func follow(factory informers.SharedInformerFactory) {
	forever := context.Background()
	factory.Start(forever.Done())
	factory.WaitForCacheSync(forever.Done())
}

package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserverapp "k8s.io/kubernetes/cmd/kube-apiserver/app"
	managerapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func etcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func apiServer() int {
	return cli.Run(apiserverapp.NewAPIServerCommand())
}

func controllerManager() int {
	return cli.Run(managerapp.NewControllerManagerCommand())
}

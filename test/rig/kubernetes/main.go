// Command kubernetes holds the four Kubernetes programs that the rig needs, linked into one binary so that they are
// built once and share their code. The first argument names the program; the rest are that program's own flags.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

const usage = "usage: kubernetes kube-apiserver|kube-controller-manager|kube-scheduler|kubelet [flags]"

// command returns the named program, or nil when there is none of that name.
func command(name string) *cobra.Command {
	switch name {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		return controllermanager.NewControllerManagerCommand()
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "kubelet":
		return kubelet.NewKubeletCommand(context.Background())
	default:
		return nil
	}
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	program := command(os.Args[1])
	if program == nil {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	// The kubelet parses os.Args by itself, so the program's name has to stand first in them.
	os.Args = os.Args[1:]
	os.Exit(cli.Run(program))
}

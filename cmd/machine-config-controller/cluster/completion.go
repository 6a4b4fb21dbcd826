package cluster

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// whileTyping is how long somebody who pressed a key waits for what could come next.
const whileTyping = 3 * time.Second

// CompletePools completes names of pools that the cluster has, without those that are there.
// What is in the way is no matter of a person who types.
func CompletePools(o *Options, backend Backend) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		ctx, cancel := context.WithTimeout(ctx, whileTyping)
		defer cancel()
		clients, err := Connect(o, backend, "completion")
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		pools, err := clients.Pools(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, pool := range pools {
			if strings.HasPrefix(pool.Name, toComplete) && !slices.Contains(args, pool.Name) {
				names = append(names, pool.Name)
			}
		}
		slices.Sort(names)
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFlags completes what a kubeconfig has.
func (o *Options) completeFlags(cmd *cobra.Command) {
	for flag, names := range map[string]func(*clientcmdapi.Config) []string{
		"context": func(c *clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Contexts)) },
		"cluster": func(c *clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Clusters)) },
		"user":    func(c *clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.AuthInfos)) },
	} {
		// It cannot fail: the flags were just added.
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			raw, err := o.kubectl.ToRawKubeConfigLoader().RawConfig()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return names(&raw), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

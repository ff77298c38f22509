// Command pulumi-language-nodejs runs this repository's programs and plugins for Pulumi, where its own Node.js language host can't be
// had: that one is part of no module on the Go proxy since 3.68, which could not run a plugin.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/shlex"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The SDK ends with it after it has told the user what is wrong.
const exitAfterMessage = 32

func main() {
	h := &host{}
	// Today's engines put a runtime's options into each request, those of the YAML host into the arguments.
	flags := flag.NewFlagSet("pulumi-language-nodejs", flag.ExitOnError)
	flags.BoolVar(&h.typescript, "typescript", true, "whether the SDK compiles TypeScript")
	flags.StringVar(&h.nodeargs, "nodeargs", "", "arguments for Node.js")
	flags.String("root", "", "ignored: requests name the folder")
	flags.String("tracing", "", "ignored")
	_ = flags.Parse(os.Args[1:])
	h.engine = flags.Arg(0)
	if err := h.serve(); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-nodejs:", err)
		os.Exit(1)
	}
}

// serve answers the engine, at the port it prints, until the engine is gone.
func (h *host) serve() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := rpcutil.Healthcheck(ctx, h.engine, 5*time.Minute, cancel); err != nil {
		return err
	}
	stop := make(chan bool)
	go func() {
		<-ctx.Done()
		close(stop)
	}()
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stop,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, h)
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine     string
	typescript bool
	nodeargs   string
}

func (*host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GetRequiredPackages names none: the engine finds a provider's plugin when the first resource of it comes.
func (*host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// InstallDependencies leaves a folder alone that has its dependencies, be it in a parent's node_modules.
func (*host) InstallDependencies(request *pulumirpc.InstallDependenciesRequest, server pulumirpc.LanguageRuntime_InstallDependenciesServer) error {
	folder := request.GetInfo().GetProgramDirectory()
	if _, err := commandOf(folder, "run"); err == nil {
		return nil
	}
	npm := exec.CommandContext(server.Context(), "npm", "install")
	npm.Dir = folder
	if output, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install in %s: %w\n%s", folder, err, output)
	}
	return nil
}

func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	node, err := h.nodeFor(ctx, "run", request.GetInfo(), h.arguments(request)...)
	if err != nil {
		return nil, err
	}
	configuration, err := configurationOf(request)
	if err != nil {
		return nil, err
	}
	node.Env = append(node.Env, configuration...)
	node.Dir, node.Stdout, node.Stderr = request.GetInfo().GetRootDirectory(), os.Stdout, os.Stderr
	var exit *exec.ExitError
	switch err := node.Run(); {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == exitAfterMessage:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case errors.As(err, &exit) && exit.Exited():
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("Program exited with non-zero exit code: %d", exit.ExitCode())}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("Program ended: %v", err)}, nil
	}
}

func (h *host) RunPlugin(request *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer) error {
	words := append([]string{request.GetInfo().GetProgramDirectory()}, request.GetArgs()...)
	node, err := h.nodeFor(server.Context(), "run-plugin", request.GetInfo(), words...)
	if err != nil {
		return err
	}
	// A stream of the RPC takes one message at a time.
	var sending sync.Mutex
	send := func(response *pulumirpc.RunPluginResponse) error {
		sending.Lock()
		defer sending.Unlock()
		return server.Send(response)
	}
	node.Stdout = writer(func(text []byte) error {
		return send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: text}})
	})
	node.Stderr = writer(func(text []byte) error {
		return send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: text}})
	})
	node.Dir, node.Env = request.GetPwd(), append(node.Env, request.GetEnv()...)
	var exit *exec.ExitError
	if err := node.Run(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return send(&pulumirpc.RunPluginResponse{
		Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(node.ProcessState.ExitCode())},
	})
}

type writer func([]byte) error

func (write writer) Write(text []byte) (int, error) {
	if err := write(text); err != nil {
		return 0, err
	}
	return len(text), nil
}

// arguments are what the SDK's command `run` is told.
func (h *host) arguments(request *pulumirpc.RunRequest) []string {
	var words []string
	for _, option := range [][2]string{
		{"monitor", request.GetMonitorAddress()},
		{"engine", h.engine},
		{"organization", request.GetOrganization()},
		{"project", request.GetProject()},
		{"stack", request.GetStack()},
		{"root-directory", request.GetInfo().GetRootDirectory()},
		{"pwd", request.GetPwd()},
		{"parallel", fmt.Sprint(request.GetParallel())},
	} {
		if option[1] != "" {
			words = append(words, "--"+option[0], option[1])
		}
	}
	if request.GetDryRun() {
		words = append(words, "--dry-run")
	}
	return append(append(words, request.GetInfo().GetEntryPoint()), request.GetArgs()...)
}

// configurationOf is a stack's configuration, as the SDK takes it from its environment.
func configurationOf(request *pulumirpc.RunRequest) ([]string, error) {
	values := map[string]string{}
	maps.Copy(values, request.GetConfig())
	configuration, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(append([]string{}, request.GetConfigSecretKeys()...))
	if err != nil {
		return nil, err
	}
	return []string{"PULUMI_CONFIG=" + string(configuration), "PULUMI_CONFIG_SECRET_KEYS=" + string(secrets)}, nil
}

// nodeFor is a command of the SDK, which a program or plugin brings with it, under the options of its runtime.
func (h *host) nodeFor(ctx context.Context, command string, info *pulumirpc.ProgramInfo, words ...string) (*exec.Cmd, error) {
	script, err := commandOf(info.GetProgramDirectory(), command)
	if err != nil {
		return nil, err
	}
	options := info.GetOptions().AsMap()
	nodeargs, given := options["nodeargs"].(string)
	if !given {
		nodeargs = h.nodeargs
	}
	all, err := shlex.Split(nodeargs)
	if err != nil {
		return nil, fmt.Errorf("the runtime's option nodeargs: %w", err)
	}
	node := exec.CommandContext(ctx, "node", append(append(all, script), words...)...)
	node.Env = os.Environ()
	typescript, given := options["typescript"].(bool)
	if !given {
		typescript = h.typescript
	}
	if typescript {
		node.Env = append(node.Env, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	return node, nil
}

// commandOf finds a command of the SDK by Node's rule: in the node_modules of the folder, or else of the nearest parent.
func commandOf(folder, command string) (string, error) {
	for at := folder; ; at = filepath.Dir(at) {
		script := filepath.Join(at, "node_modules", "@pulumi", "pulumi", "cmd", command, "index.js")
		if _, err := os.Stat(script); err == nil {
			return script, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no @pulumi/pulumi for %s: run npm install", folder)
		}
	}
}

// Command cmd serves the OSS test double of package osstest on a loopback
// address, for integration tests in other languages. It is not the real OSS.
//
// Requests are virtual-hosted, so the bucket is part of the host name:
// BUCKET.127.0.0.1, BUCKET.oss.localhost or BUCKET.localhost, with the port.
// The registry's oss driver connects to an IP endpoint by address and needs no
// name resolution for it. Any other client, and one that follows a redirect,
// must resolve the name: *.localhost is loopback for curl and browsers; in a
// container on the host's network use --add-host BUCKET.oss.localhost:127.0.0.1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"container-registry/server/internal/storage/oss/osstest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "osstest:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. Once it listens it prints one line to out that
// begins with "ready" and names the endpoint.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("osstest", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "loopback address to listen on")
	bucket := flags.String("bucket", "registry", "name of the bucket")
	keyID := flags.String("access-key-id", "testid", "access key ID to accept")
	keySecret := flags.String("access-key-secret", "testsecret", "access key secret to accept")
	region := flags.String("region", "cn-hangzhou", "region requests must be signed for")
	dir := flags.String("dir", "", "directory for large bodies (default: a temporary one); nothing in it outlives the process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(*listen)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("-listen %s: not a loopback address", *listen)
	}
	s, err := osstest.New(osstest.Config{
		Bucket:      *bucket,
		Region:      *region,
		Credentials: []osstest.Credential{{AccessKeyID: *keyID, AccessKeySecret: *keySecret}},
		Dir:         *dir,
	})
	if err != nil {
		return err
	}
	defer s.Close()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "ready endpoint=http://%s bucket=%s region=%s\n", listener.Addr(), *bucket, *region)

	select {
	case err = <-served:
	case <-ctx.Done():
		err = server.Close()
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

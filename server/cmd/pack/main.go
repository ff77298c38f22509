// Command pack makes the container image from the compiled server. The same input
// gives the same bytes, which `docker build` cannot promise on every engine.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "pack: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	binary := flag.String("binary", "", "the compiled server")
	architecture := flag.String("arch", runtime.GOARCH, "the architecture it was compiled for")
	tag := flag.String("tag", "container-registry:latest", "name and tag of the image")
	archive := flag.String("archive", "", "where to write the image, for `docker load`")
	rootFS := flag.String("rootfs", "", "where to write its root file system as a plain tar")
	flag.Parse()

	created, err := sourceDate()
	if err != nil {
		return err
	}
	layer, err := rootFileSystem(*binary, created)
	if err != nil {
		return err
	}
	if *rootFS != "" {
		if err := os.WriteFile(*rootFS, layer, 0o644); err != nil {
			return err
		}
	}
	if *archive == "" {
		return nil
	}
	ids, content, err := imageArchive(layer, *architecture, *tag, created)
	if err != nil {
		return err
	}
	if err := os.WriteFile(*archive, content, 0o644); err != nil {
		return err
	}
	fmt.Println(ids.manifest, ids.config)
	return nil
}

// sourceDate is the time stamp of everything in the image, by the convention of
// reproducible-builds.org.
func sourceDate() (time.Time, error) {
	seconds := int64(0)
	if value := os.Getenv("SOURCE_DATE_EPOCH"); value != "" {
		var err error
		if seconds, err = strconv.ParseInt(value, 10, 64); err != nil {
			return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds", value)
		}
	}
	return time.Unix(seconds, 0).UTC(), nil
}

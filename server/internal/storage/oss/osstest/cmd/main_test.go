package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRefusedArguments(t *testing.T) {
	for _, args := range [][]string{
		{"-listen", "0.0.0.0:0"},
		{"-listen", "192.0.2.1:9000"},
		{"-listen", "nowhere"},
		{"-bucket", ""},
		{"-access-key-secret"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

func TestServes(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-bucket", "b", "-region", "cn-beijing"}, in) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(line)
	if len(fields) != 4 || fields[0] != "ready" || fields[2] != "bucket=b" || fields[3] != "region=cn-beijing" {
		t.Fatalf("printed %q", line)
	}
	response, err := http.Get(strings.TrimPrefix(fields[1], "endpoint=") + "/b/key")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); !strings.Contains(string(body), "SecondLevelDomainForbidden") {
		t.Errorf("path style: %s", body)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

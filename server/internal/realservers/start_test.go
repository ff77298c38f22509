package realservers

import (
	"encoding/json"
	"net"
	"strings"
	"testing"
)

// TestStartFails checks that a server says why it does not start, in the format of its log.
func TestStartFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	want := "http.addr: listen tcp " + address + ": bind: address already in use"
	text := config(address, folderStorage(t.TempDir()))
	if got := registry(t, nil, text, "serve", "-"); got.code != 1 || !strings.HasSuffix(got.stderr, "registry: "+want+"\n") {
		t.Errorf("for people: %+v", got)
	}
	got := registry(t, nil, strings.Replace(text, "log: {", "log: {formatter: json, ", 1), "serve", "-")
	var last struct{ Level, Msg string }
	for line := range strings.Lines(got.stderr) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	if got.code != 1 || last.Level != "fatal" || last.Msg != want {
		t.Errorf("for machines: %+v", got)
	}
}

package swift

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	ncw "github.com/ncw/swift/v2"
)

// swiftScript starts a real Swift from Debian's packages.
const swiftScript = "../../../../test/support/swift-server.sh"

// account is the Swift account the tests use.
type account struct {
	authURL, username, password string
}

// realSwift is started by the first test that needs it and stopped after the last test. Tests such as those of
// parameters run without it.
var realSwift struct {
	once sync.Once
	dir  string // of a server that was started here
	account
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if realSwift.dir != "" {
		if out, err := exec.Command(swiftScript, "stop", realSwift.dir).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "stopping Swift: %v\n%s", err, out)
			code = 1
		}
	}
	os.Exit(code)
}

// swiftAccount is an account on a real Swift: the one named by SWIFT_AUTH_URL, SWIFT_USERNAME and SWIFT_PASSWORD, or
// else one on a server that is started here, which needs root on Debian.
func swiftAccount(t testing.TB) account {
	t.Helper()
	realSwift.once.Do(func() {
		realSwift.account = account{os.Getenv("SWIFT_AUTH_URL"), os.Getenv("SWIFT_USERNAME"), os.Getenv("SWIFT_PASSWORD")}
		if realSwift.authURL == "" {
			realSwift.err = startSwift()
		}
	})
	if realSwift.err != nil {
		t.Fatalf("no Swift to test with: %v\nRun the tests as root on Debian, where they start one, or set SWIFT_AUTH_URL, SWIFT_USERNAME and SWIFT_PASSWORD.", realSwift.err)
	}
	return realSwift.account
}

func startSwift() error {
	dir, err := os.MkdirTemp("", "swift-test-")
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd := exec.Command(swiftScript, "start", dir)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", swiftScript, err, stderr.String())
	}
	realSwift.dir = dir
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch key {
		case "authurl":
			realSwift.authURL = value
		case "username":
			realSwift.username = value
		case "password":
			realSwift.password = value
		}
	}
	return nil
}

// newContainer makes an empty container and returns parameters for a driver on it.
func newContainer(t testing.TB) map[string]any {
	t.Helper()
	a := swiftAccount(t)
	conn := connection(t, a)
	name := fmt.Sprintf("test-%d", time.Now().UnixNano())
	if err := conn.ContainerCreate(context.Background(), name, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, object := range objectNames(t, conn, name) {
			if err := conn.ObjectDelete(context.Background(), name, object); err != nil {
				t.Errorf("deleting %s: %v", object, err)
			}
		}
		if err := conn.ContainerDelete(context.Background(), name); err != nil {
			t.Errorf("deleting container %s: %v", name, err)
		}
	})
	return map[string]any{"authurl": a.authURL, "username": a.username, "password": a.password, "container": name}
}

func connection(t testing.TB, a account) *ncw.Connection {
	t.Helper()
	conn := &ncw.Connection{AuthUrl: a.authURL, UserName: a.username, ApiKey: a.password}
	if err := conn.Authenticate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return conn
}

func objectNames(t testing.TB, conn *ncw.Connection, container string) []string {
	t.Helper()
	names, err := conn.ObjectNamesAll(context.Background(), container, nil)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// with is a copy of parameters with some added.
func with(parameters map[string]any, more ...any) map[string]any {
	all := map[string]any{}
	for key, value := range parameters {
		all[key] = value
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i].(string)] = more[i+1]
	}
	return all
}

// open makes the driver behind a Driver, as another process would.
func open(t testing.TB, parameters map[string]any) *driver {
	t.Helper()
	p, err := parseParameters(parameters)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDriver(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

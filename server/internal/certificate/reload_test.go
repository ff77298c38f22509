package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/testpki"
)

// record keeps what is logged.
type record struct {
	mu    sync.Mutex
	lines []string
}

func (r *record) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(line))
	return len(line), nil
}

func (r *record) matching(text string) (found []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

func newLog() (*logrus.Entry, *record) {
	lines := &record{}
	log := logrus.New()
	log.SetOutput(lines)
	return logrus.NewEntry(log), lines
}

func TestStart(t *testing.T) {
	ca := testpki.NewAuthority(t)
	good, other := ca.Valid(t, "good"), ca.Valid(t, "other")
	tests := []struct {
		name             string
		certificate, key []byte
		want             string
	}{
		{"a pair", good.Certificate, good.Key, ""},
		{"with the authority", join(good.Certificate, ca.PEM), good.Key, ""},
		{"another key", good.Certificate, other.Key, "private key does not match"},
		{"the authority first", join(ca.PEM, good.Certificate), good.Key, "number 2 in the file; it must be the first"},
		{"no certificate", []byte("hello"), good.Key, "failed to find any PEM data in certificate input"},
		{"no key", good.Certificate, nil, "failed to find any PEM data in key input"},
		{"half a certificate", good.Certificate[:len(good.Certificate)/2], good.Key, "failed to find any PEM data"},
		{"half a key", good.Certificate, good.Key[:len(good.Key)/2], "failed to find any PEM data"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			log, _ := newLog()
			certificateFile, keyFile := filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
			write(t, certificateFile, test.certificate)
			write(t, keyFile, test.key)
			_, err := New(certificateFile, keyFile, log)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), certificateFile) {
				t.Errorf("got %v, want %q with the name of the file", err, test.want)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		log, _ := newLog()
		if _, err := New("/nonexistent/tls.pem", "/nonexistent/tls.pem", log); err == nil || !strings.Contains(err.Error(), "http.tls.certificate: open /nonexistent/tls.pem") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	ca := testpki.NewAuthority(t)
	good, other := ca.Valid(t, "good"), ca.Valid(t, "other")
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("hello")})
	critical := func(template *x509.Certificate) {
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: asn1.NullBytes}}
	}
	forName := func(name string) testpki.Change {
		return func(template *x509.Certificate) { template.PermittedDNSDomains = []string{name} }
	}
	notForName := func(template *x509.Certificate) { template.ExcludedDNSDomains = []string{"localhost"} }
	forAddresses := func(template *x509.Certificate) {
		template.PermittedIPRanges = []*net.IPNet{{IP: net.IP{192, 0, 2, 0}, Mask: net.CIDRMask(24, 32)}}
	}
	alone := func(leaf testpki.Leaf) []byte { return join(leaf.Certificate, leaf.Key) }
	below := func(change testpki.Change) []byte {
		authority := testpki.NewAuthority(t, change)
		return authority.Valid(t, "below").Combined(authority)
	}
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"a pair", alone(good), ""},
		{"with the authority", join(good.Certificate, ca.PEM, good.Key), ""},
		{"another key", join(good.Certificate, other.Key), "private key does not match"},
		{"lines that end twice", bytes.ReplaceAll(join(good.Certificate, good.Key), []byte("\n"), []byte("\r\r\n")), "failed to find any PEM data"},
		{"one that has ended", ca.Leaf(t, "ended", time.Now().Add(-30*time.Minute), time.Now().Add(-time.Minute)).Combined(ca), ""},
		{"one that has not begun", ca.Leaf(t, "early", time.Now().Add(time.Minute), time.Now().Add(time.Hour)).Combined(ca), ""},
		{"another authority", good.Combined(testpki.NewAuthority(t)), "signed by unknown authority"},
		{"a critical extension that nobody knows", ca.Valid(t, "odd", critical).Combined(ca), "unhandled critical extension"},
		{"one in a certificate that is alone", alone(ca.Valid(t, "odd", critical)), "unhandled critical extension"},
		{"an authority for its name", below(forName("localhost")), ""},
		{"an authority for another name", below(forName("other.org")), "DNS name \"localhost\" is not permitted"},
		{"an authority that may not sign for its name", below(notForName), "DNS name \"localhost\" is excluded"},
		{"an authority for other addresses", below(forAddresses), "IP address \"127.0.0.1\" is not permitted"},
		{"an authority with a critical extension that nobody knows", below(critical), "unhandled critical extension"},
		{"an authority that can't be read", join(good.Certificate, ca.PEM, broken, good.Key), "number 3 in the file: x509: malformed certificate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := Check(test.content)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestStartAtAnotherTime checks that a server starts with any certificate that it would go on serving, so that
// a reboot makes no difference to clients that do not check the time.
func TestStartAtAnotherTime(t *testing.T) {
	ca := testpki.NewAuthority(t)
	for _, test := range []struct {
		name        string
		from, until time.Duration
		want        string
	}{
		{"valid", -time.Hour, time.Hour, ""},
		{"expired", -2 * time.Hour, -time.Hour, "the certificate expired on "},
		{"not yet valid", time.Hour, 2 * time.Hour, "the certificate is not valid before "},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tls.pem")
			now := time.Now()
			write(t, file, ca.Leaf(t, test.name, now.Add(test.from), now.Add(test.until)).Combined(ca))
			r, lines := loaded(t, file)
			look(r, 3)
			if name := subject(r); name != test.name {
				t.Errorf("serves %q", name)
			}
			logged := lines.matching("")
			if test.want == "" && len(logged) != 0 || test.want != "" && (len(logged) != 1 || len(lines.matching("level=error")) != 1 || len(lines.matching(test.want)) != 1) {
				t.Errorf("want %q once, got %s", test.want, logged)
			}
			write(t, file, ca.Valid(t, "fresh").Combined(ca))
			look(r, 1)
			if name := subject(r); name != "fresh" {
				t.Errorf("serves %q after the repair", name)
			}
		})
	}
}

// TestEnd expects the end of the certificate in the file that ends first.
func TestEnd(t *testing.T) {
	ca, other := testpki.NewAuthority(t), testpki.NewAuthority(t)
	now := time.Now()
	leaf := func(left time.Duration) testpki.Leaf { return ca.Leaf(t, "leaf", now.Add(-time.Hour), now.Add(left)) }
	long, short := leaf(48*time.Hour), leaf(time.Minute)
	for _, test := range []struct {
		name    string
		content []byte
		want    time.Duration
	}{
		{"alone", join(long.Certificate, long.Key), 48 * time.Hour},
		{"before its authority", short.Combined(ca), time.Minute},
		{"after its authority", long.Combined(ca), time.Hour},
		{"after the authority of that", join(long.Certificate, other.PEM, ca.PEM, long.Key), time.Hour},
		{"with what is no certificate", join(long.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("?")}), long.Key), 48 * time.Hour},
	} {
		file := filepath.Join(t.TempDir(), "tls.pem")
		write(t, file, test.content)
		r, _ := loaded(t, file)
		if got := r.Expires().Sub(now); (got - test.want).Abs() > 30*time.Second {
			t.Errorf("%s: in %s, want %s", test.name, got, test.want)
		}
		if got := r.Fields()["expires"]; got != r.Expires().UTC().Format(time.RFC3339) {
			t.Errorf("%s: logged is %v", test.name, got)
		}
	}
}

func TestReplaced(t *testing.T) {
	ca := testpki.NewAuthority(t)
	old, fresh := ca.Valid(t, "old"), ca.Valid(t, "fresh")
	tests := []struct {
		name    string
		replace func(t *testing.T, r *Reloader, file string)
	}{
		{"written in place", func(t *testing.T, _ *Reloader, file string) { write(t, file, fresh.Combined(ca)) }},
		{"renamed over", func(t *testing.T, _ *Reloader, file string) { rename(t, file, fresh.Combined(ca)) }},
		{"behind a symbolic link", func(t *testing.T, _ *Reloader, file string) { relink(t, file, fresh.Combined(ca)) }},
		{"gone for a while", func(t *testing.T, r *Reloader, file string) {
			remove(t, file)
			look(r, 3)
			write(t, file, fresh.Combined(ca))
		}},
		{"half written for a while", func(t *testing.T, r *Reloader, file string) {
			write(t, file, half(fresh.Combined(ca)))
			look(r, 3)
			write(t, file, fresh.Combined(ca))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tls.pem")
			relink(t, file, old.Combined(ca))
			r, lines := loaded(t, file)
			look(r, 2)
			test.replace(t, r, file)
			look(r, 2)
			if name := subject(r); name != "fresh" {
				t.Errorf("serves %q", name)
			}
			logged := lines.matching("certificate replaced")
			if len(logged) != 1 {
				t.Fatalf("%d lines, want 1: %s", len(logged), logged)
			}
			for _, want := range []string{`subject="CN=fresh"`, `names="localhost,127.0.0.1"`, "expires=", `fingerprint="sha256:`} {
				if !strings.Contains(logged[0], want) {
					t.Errorf("%s is not in %s", want, logged[0])
				}
			}
		})
	}
}

// TestTwoFiles replaces certificate and key one after the other, as cert-manager
// and hand-typed copies do.
func TestTwoFiles(t *testing.T) {
	ca := testpki.NewAuthority(t)
	old, fresh := ca.Valid(t, "old"), ca.Valid(t, "fresh")
	certificateFile, keyFile := filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	write(t, certificateFile, old.Certificate)
	write(t, keyFile, old.Key)
	log, _ := newLog()
	r, err := New(certificateFile, keyFile, log)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certificateFile, fresh.Certificate)
	look(r, 1)
	if name := subject(r); name != "old" {
		t.Errorf("serves %q while the key is missing", name)
	}
	write(t, keyFile, fresh.Key)
	look(r, 1)
	if name := subject(r); name != "fresh" {
		t.Errorf("serves %q", name)
	}
}

// TestChangeWithoutTrace is a file written twice within the resolution of its
// modification time, with the same length.
func TestChangeWithoutTrace(t *testing.T) {
	ca := testpki.NewAuthority(t)
	old, fresh := ca.Valid(t, "old"), ca.Valid(t, "new")
	// Signatures differ in length, so certificates of one size take a few attempts.
	for len(fresh.Combined(ca)) != len(old.Combined(ca)) {
		fresh = ca.Valid(t, "new")
	}
	file := filepath.Join(t.TempDir(), "tls.pem")
	write(t, file, old.Combined(ca))
	r, _ := loaded(t, file)
	look(r, 1)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, fresh.Combined(ca))
	if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	look(r, 1)
	if name := subject(r); name != "new" {
		t.Errorf("serves %q", name)
	}
}

func TestBrokenIsNotUsed(t *testing.T) {
	ca := testpki.NewAuthority(t)
	good, other, fresh := ca.Valid(t, "good"), ca.Valid(t, "other"), ca.Valid(t, "fresh")
	expired := ca.Leaf(t, "expired", time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"nothing", nil, "failed to find any PEM data"},
		{"without key", fresh.Certificate, "found a certificate rather than a key"},
		{"half", half(fresh.Combined(ca)), "found a certificate rather than a key"},
		{"another key", join(fresh.Certificate, other.Key), "private key does not match"},
		{"expired", expired.Combined(ca), "the certificate expired on "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tls.pem")
			write(t, file, good.Combined(ca))
			r, lines := loaded(t, file)
			write(t, file, test.content)
			look(r, 1)
			if logged := lines.matching(""); len(logged) != 0 {
				t.Errorf("logged before it can be told from a file being written: %s", logged)
			}
			look(r, 10)
			if logged := lines.matching(test.want); len(logged) != 1 || len(lines.matching("")) != 1 {
				t.Errorf("want %q once, got %s", test.want, lines.matching(""))
			}
			if name := subject(r); name != "good" {
				t.Errorf("serves %q", name)
			}
			write(t, file, join(test.content, []byte("more\n")))
			look(r, 10)
			if logged := lines.matching(test.want); len(logged) != 2 {
				t.Errorf("another broken content is another error, got %s", logged)
			}
			write(t, file, fresh.Combined(ca))
			look(r, 1)
			if name := subject(r); name != "fresh" {
				t.Errorf("serves %q after the repair", name)
			}
		})
	}
}

func TestBecomesValidWithTime(t *testing.T) {
	ca := testpki.NewAuthority(t)
	file := filepath.Join(t.TempDir(), "tls.pem")
	write(t, file, ca.Valid(t, "now").Combined(ca))
	r, _ := loaded(t, file)
	later := ca.Leaf(t, "later", time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	write(t, file, later.Combined(ca))
	look(r, 2)
	if name := subject(r); name != "now" {
		t.Errorf("serves %q too early", name)
	}
	r.check(time.Now().Add(61 * time.Minute))
	if name := subject(r); name != "later" {
		t.Errorf("serves %q", name)
	}
}

// TestHandshakesDuringRotation checks the promise that no client notices a rotation.
func TestHandshakesDuringRotation(t *testing.T) {
	ca := testpki.NewAuthority(t)
	file := filepath.Join(t.TempDir(), "tls.pem")
	write(t, file, ca.Valid(t, "0").Combined(ca))
	r, lines := watched(t, file)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: r.GetCertificate, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.(*tls.Conn).Handshake()
			}()
		}
	}()

	var stop atomic.Bool
	var handshakes atomic.Int64
	var served sync.Map
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for !stop.Load() {
				conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
				if err != nil {
					t.Errorf("handshake: %v", err)
					return
				}
				served.Store(conn.ConnectionState().PeerCertificates[0].Subject.CommonName, true)
				handshakes.Add(1)
				conn.Close()
			}
		})
	}
	for i, name := range []string{"1", "2", "3", "4"} {
		content := ca.Valid(t, name).Combined(ca)
		write(t, file, half(content))
		poll.Until(t, "an error about half a certificate", func() bool { return len(lines.matching("level=error")) > i })
		write(t, file, content)
		poll.Until(t, "certificate "+name+" at a client", func() bool { _, ok := served.Load(name); return ok })
	}
	poll.Until(t, "2000 handshakes", func() bool { return handshakes.Load() >= 2000 })
	stop.Store(true)
	clients.Wait()
	t.Logf("%d handshakes over %d certificates", handshakes.Load(), 1+len(lines.matching("certificate replaced")))
}

func loaded(t *testing.T, file string) (*Reloader, *record) {
	t.Helper()
	log, lines := newLog()
	r, err := New(file, file, log)
	if err != nil {
		t.Fatal(err)
	}
	return r, lines
}

func watched(t *testing.T, file string) (*Reloader, *record) {
	t.Helper()
	r, lines := loaded(t, file)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Watch(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r, lines
}

// look does what Watch does on this number of ticks.
func look(r *Reloader, times int) {
	for range times {
		r.check(time.Now())
	}
}

func subject(r *Reloader) string { return r.current.Load().Leaf.Subject.CommonName }

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, file string, content []byte) {
	t.Helper()
	write(t, file+".new", content)
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// relink replaces a file as Kubernetes and config managers do.
func relink(t *testing.T, file string, content []byte) {
	t.Helper()
	target := filepath.Join(t.TempDir(), "content")
	write(t, target, content)
	if err := os.Symlink(target, file+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func half(content []byte) []byte { return content[:len(content)/2] }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

package oss

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	"github.com/distribution/distribution/v3/registry/storage/driver/testsuites"

	"container-registry/server/internal/storage/oss/osstest"
)

const (
	testBucket = "registry"
	testRegion = "cn-hangzhou"
	testKeyID  = "testid"
	testSecret = "testsecret-that-must-not-leak"
)

// startOSS starts a server and returns the parameters of a driver for it. The
// endpoint is an IP address.
func startOSS(t *testing.T) (*osstest.Server, map[string]any) {
	t.Helper()
	s, address := osstest.Start(t, osstest.Config{
		Bucket: testBucket, Region: testRegion, Dir: t.TempDir(),
		Credentials: []osstest.Credential{{AccessKeyID: testKeyID, AccessKeySecret: testSecret}},
	})
	return s, map[string]any{
		"accesskeyid":     testKeyID,
		"accesskeysecret": testSecret,
		"region":          testRegion,
		"bucket":          testBucket,
		"endpoint":        "http://" + address,
	}
}

// named turns the endpoint in params from an IP address into a name.
func named(params map[string]any) map[string]any {
	params["endpoint"] = strings.Replace(params["endpoint"].(string), "127.0.0.1", "oss.localhost", 1)
	return params
}

func newTestDriver(t *testing.T, params map[string]any) *Driver {
	t.Helper()
	d, err := FromParameters(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// dialElsewhere lets http.DefaultTransport connect to another address than it
// was asked to, for the length of the test.
func dialElsewhere(t *testing.T, reroute func(address string) string) {
	t.Helper()
	before := http.DefaultTransport
	changed := before.(*http.Transport).Clone()
	changed.Proxy = nil
	changed.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, reroute(address))
	}
	http.DefaultTransport = changed
	t.Cleanup(func() {
		changed.CloseIdleConnections()
		http.DefaultTransport = before
	})
}

// The engine's suite, through the factory, and with host names so that its
// redirects can be followed. It writes 5 GB and waits 15 s; -short makes it less.
// The driver has a root directory here, and none in the other tests.
func TestEngineSuite(t *testing.T) {
	dialElsewhere(t, func(address string) string {
		_, port, _ := net.SplitHostPort(address)
		return net.JoinHostPort("127.0.0.1", port)
	})
	s, params := startOSS(t)
	params = named(params)
	params["rootdirectory"], params["encrypt"], params["multipartcopythresholdsize"] = "/some/where/", true, minPartSize
	testsuites.Driver(t, func() (storagedriver.StorageDriver, error) {
		return factory.Create(t.Context(), driverName, params)
	}, false)
	if objects, uploads := s.Objects(), s.Uploads(); len(objects)+len(uploads) > 0 {
		t.Errorf("left behind: objects %v, uploads %v", objects, uploads)
	}
}

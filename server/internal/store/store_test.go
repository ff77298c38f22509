package store

import (
	"context"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/config"
)

func TestString(t *testing.T) {
	for name, test := range map[string]struct {
		driver     string
		parameters configuration.Parameters
		want       string
	}{
		"s3":                 {"s3", configuration.Parameters{"bucket": "b", "region": "eu-west-1"}, `s3 bucket "b" in region eu-west-1`},
		"s3 elsewhere":       {"s3aws", configuration.Parameters{"bucket": "b", "region": "r", "regionendpoint": "http://127.0.0.1:7070"}, `s3aws bucket "b" at http://127.0.0.1:7070`},
		"s3 login in URL":    {"s3", configuration.Parameters{"bucket": "b", "regionendpoint": "https://user:word@host"}, `s3 bucket "b" at https://host`},
		"s3 login, no URL":   {"s3", configuration.Parameters{"bucket": "b", "regionendpoint": "user:word@host:9000"}, `s3 bucket "b" at …@host:9000`},
		"azure":              {"azure", configuration.Parameters{"container": "c", "accountname": "a", "realm": "core.chinacloudapi.cn"}, `azure container "c" at https://a.blob.core.chinacloudapi.cn`},
		"azure elsewhere":    {"azure", configuration.Parameters{"container": "c", "serviceurl": "http://127.0.0.1:10000/a"}, `azure container "c" at http://127.0.0.1:10000/a`},
		"gcs":                {"gcs", configuration.Parameters{"bucket": "b"}, `gcs bucket "b"`},
		"swift":              {"swift", configuration.Parameters{"container": "c", "authurl": "http://k/v3"}, `swift container "c" at http://k/v3`},
		"oss":                {"oss", configuration.Parameters{"bucket": "b", "region": "r", "endpoint": "https://e"}, `oss bucket "b" at https://e`},
		"filesystem":         {"filesystem", configuration.Parameters{"rootdirectory": "/r"}, `filesystem folder "/r"`},
		"filesystem default": {"filesystem", nil, `filesystem folder "/var/lib/registry"`},
		"inmemory":           {"inmemory", nil, "inmemory store"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Of(&configuration.Configuration{Storage: configuration.Storage{test.driver: test.parameters}}).String()
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	for name, test := range map[string]struct {
		maintenance configuration.Parameters
		want        bool
	}{
		"no maintenance": {nil, false},
		"something else": {configuration.Parameters{"uploadpurging": map[any]any{"enabled": true}}, false},
		"off":            {configuration.Parameters{"readonly": map[any]any{"enabled": false}}, false},
		"on":             {configuration.Parameters{"readonly": map[any]any{"enabled": true}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := Of(&configuration.Configuration{Storage: configuration.Storage{"inmemory": nil, "maintenance": test.maintenance}})
			if s.ReadOnly() != test.want {
				t.Errorf("got %t, want %t", s.ReadOnly(), test.want)
			}
		})
	}
}

func TestInParts(t *testing.T) {
	for name, test := range map[string]struct {
		driver    string
		threshold any
		want      bool
	}{
		"s3":                       {"s3", nil, true},
		"s3 with a threshold":      {"s3aws", 1 << 20, true},
		"s3 with the largest":      {"s3", 5368709120, false},
		"a driver of another kind": {"azure", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			parameters := configuration.Parameters{"bucket": "b", "multipartcopythresholdsize": test.threshold}
			s := Of(&configuration.Configuration{Storage: configuration.Storage{test.driver: parameters, "cache": nil}})
			inParts := s.InParts()
			if (inParts != nil) != test.want {
				t.Fatalf("got %v", inParts)
			}
			if test.want && inParts.storage.Parameters()["multipartcopythresholdsize"] != 0 {
				t.Errorf("got %v", inParts.storage.Parameters())
			}
			if parameters["multipartcopythresholdsize"] != test.threshold {
				t.Error("the registry's own parameters changed")
			}
		})
	}
}

func TestSame(t *testing.T) {
	if !storeOf("s3").Same(storeOf("s3")) {
		t.Error("a store is not itself")
	}
	if storeOf("s3").Same(storeOf("gcs")) {
		t.Error("an S3 bucket is a GCS bucket of that name")
	}
}

// The driver's SDK is older than these regions.
func TestOpenInYoungRegion(t *testing.T) {
	for _, region := range []string{"eu-central-1", "mx-central-1", "ap-southeast-7", "ap-east-2", "eusc-de-east-1"} {
		content := "version: 0.1\nhttp: {addr: ':1'}\nstorage: {s3: {bucket: b, region: " + region + "}}\n"
		c, err := config.Read(strings.NewReader(content), "test")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Of(c.Configuration).Open(t.Context()); err != nil {
			t.Errorf("%s: %v", region, err)
		}
	}
}

func TestOpen(t *testing.T) {
	driver, err := Of(&configuration.Configuration{Storage: configuration.Storage{"inmemory": nil}}).Open(context.Background())
	if err != nil || driver.Name() != "inmemory" {
		t.Errorf("got %v, %v", driver, err)
	}
	_, err = Of(&configuration.Configuration{Storage: configuration.Storage{"filesystem": {"maxthreads": "many"}}}).Open(context.Background())
	want := `cannot open filesystem folder "/var/lib/registry": maxthreads config error: `
	if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("got %v, want %s…", err, want)
	}
}

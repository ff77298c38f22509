package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestRegionEndpoint(t *testing.T) {
	for options, want := range map[string]string{
		"region: eu-central-1":                                  "",
		"region: mx-central-1":                                  "https://s3.mx-central-1.amazonaws.com",
		"region: ap-southeast-7, usedualstack: true":            "https://s3.dualstack.ap-southeast-7.amazonaws.com",
		"region: ap-east-2, usefipsendpoint: true":              "https://s3-fips.ap-east-2.amazonaws.com",
		"region: mx-central-1, secure: false":                   "http://s3.mx-central-1.amazonaws.com",
		"region: eusc-de-east-1":                                "https://s3.eusc-de-east-1.amazonaws.eu",
		"region: cn-west-9":                                     "https://s3.cn-west-9.amazonaws.com.cn",
		"region: anything, regionendpoint: http://minio:9000":   "http://minio:9000",
		"region: us-gov-west-1, usedualstack: true, secure: no": "",
	} {
		t.Run(options, func(t *testing.T) {
			c, err := Read(strings.NewReader(minimalWith("s3: {bucket: b, "+options+"}")), "test")
			if err != nil {
				t.Fatal(err)
			}
			got, _ := c.Storage.Parameters()["regionendpoint"].(string)
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestCopyPolls(t *testing.T) {
	for storage, want := range map[string]string{
		"azure: {accountname: a, container: c, credentials: {type: default_credentials}}":                 "100",
		"azure: {accountname: a, container: c, credentials: {type: default_credentials}, max_retries: 3}": "3",
		"filesystem: {rootdirectory: /data}":                                                              "<nil>",
	} {
		t.Run(storage, func(t *testing.T) {
			c, err := Read(strings.NewReader(minimalWith(storage)), "test")
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(c.Storage.Parameters()["max_retries"]); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

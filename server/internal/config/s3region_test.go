package config

import (
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

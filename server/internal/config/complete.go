package config

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go/aws/endpoints"
	"github.com/distribution/distribution/v3/configuration"
)

// complete gives drivers the parameters that the engine leaves to the operator.
func complete(storage configuration.Storage) {
	completeRegion(storage)
	completeCopies(storage)
}

// completeRegion gives the S3 driver the address of a region that is newer than
// its SDK, which is no longer maintained: the driver refuses a region that the SDK
// does not list, unless it is told where the region is. Only Amazon names regions.
func completeRegion(storage configuration.Storage) {
	driver := storage.Type()
	if driver != "s3" && driver != "s3aws" {
		return
	}
	parameters := storage.Parameters()
	region, _ := parameters["region"].(string)
	if endpoint, _ := parameters["regionendpoint"].(string); endpoint != "" || region == "" || listed(region) {
		return
	}
	name, suffix := "s3", "amazonaws.com"
	if parameters["usefipsendpoint"] == true {
		name = "s3-fips"
	}
	if strings.HasPrefix(region, "eusc-") {
		suffix = "amazonaws.eu"
	} else if strings.HasPrefix(region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	if parameters["usedualstack"] == true {
		name += ".dualstack"
	}
	scheme := "https"
	if parameters["secure"] == false {
		scheme = "http"
	}
	storage.Parameters()["regionendpoint"] = fmt.Sprintf("%s://%s.%s.%s", scheme, name, region, suffix)
}

func listed(region string) bool {
	for _, partition := range endpoints.DefaultPartitions() {
		if _, ok := partition.Regions()[region]; ok {
			return true
		}
	}
	return false
}

// copyPolls is how often the status of a copy is asked for. With the driver's usual delay of 100ms, which grows each
// time, that takes eight minutes, less than the ten that a copy may take. The driver's own default of five takes a second.
const copyPolls = 100

// completeCopies makes the Azure driver wait for the copy of a large layer.
func completeCopies(storage configuration.Storage) {
	if storage.Type() != "azure" {
		return
	}
	parameters := storage.Parameters()
	if _, given := parameters["max_retries"]; !given {
		parameters["max_retries"] = copyPolls
	}
}

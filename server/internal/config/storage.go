package config

import (
	"reflect"

	"container-registry/server/internal/storage/gcs"
	"container-registry/server/internal/storage/options"
	"container-registry/server/internal/storage/oss"
	"container-registry/server/internal/storage/swift"
)

// subsections are the keys of storage that are not a driver.
var subsections = map[string]*rule{
	"delete": {kind: section, keys: map[string]*rule{
		"enabled": {kind: boolean, required: true},
	}},
	"redirect": {kind: section, keys: map[string]*rule{
		"disable": {kind: boolean, required: true},
	}},
	"cache": {kind: section, keys: map[string]*rule{
		"blobdescriptor":     {kind: text, required: true, allowed: []string{"inmemory", "redis"}},
		"blobdescriptorsize": {kind: integer},
	}},
	"tag": {kind: section, keys: map[string]*rule{
		"concurrencylimit": {kind: integer},
	}},
	"maintenance": {kind: section, keys: map[string]*rule{
		"readonly": {kind: section, keys: map[string]*rule{
			"enabled": {kind: boolean, required: true},
		}},
		"uploadpurging": {kind: section, keys: map[string]*rule{
			"enabled":  {kind: boolean, required: true},
			"age":      {kind: duration, required: true, valid: positiveDuration},
			"interval": {kind: duration, required: true, valid: positiveDuration},
			"dryrun":   {kind: boolean, required: true},
		}},
		"garbagecollection": garbageCollectionRule(),
	}},
}

// drivers are the parameters that each storage driver reads: those of the engine's drivers, which have
// no types that list them, and those of this server's own drivers.
var drivers = map[string]map[string]*rule{
	"filesystem": {
		"rootdirectory": {kind: text},
		"maxthreads":    {kind: integer, minimum: 25},
	},
	"inmemory": {},
	"s3":       s3Parameters,
	"s3aws":    s3Parameters,
	"azure": {
		"accountname":      {kind: text, required: true},
		"accountkey":       {kind: text, secret: true},
		"connectionstring": {kind: text, secret: true},
		"container":        {kind: text, required: true},
		"realm":            {kind: text},
		"rootdirectory":    {kind: text},
		"serviceurl":       {kind: text, valid: absoluteURL},
		"max_retries":      {kind: integer},
		"retry_delay":      {kind: duration},
		"skipverify":       {kind: boolean},
		"credentials": {kind: section, required: true, keys: map[string]*rule{
			"type":     {kind: text, required: true, allowed: []string{"shared_key", "client_secret", "default_credentials"}},
			"clientid": {kind: text},
			"tenantid": {kind: text},
			"secret":   {kind: text, secret: true},
		}},
	},
	"gcs":   gcsParameters(),
	"swift": swiftParameters(),
	"oss":   rulesOf(reflect.TypeFor[oss.Options]()),
}

var s3Parameters = map[string]*rule{
	"bucket":                      {kind: text, required: true},
	"region":                      {kind: text, required: true},
	"accesskey":                   {kind: text, secret: true},
	"secretkey":                   {kind: text, secret: true},
	"regionendpoint":              {kind: text},
	"forcepathstyle":              {kind: boolean},
	"secure":                      {kind: boolean},
	"skipverify":                  {kind: boolean},
	"v4auth":                      {kind: boolean},
	"encrypt":                     {kind: boolean},
	"keyid":                       {kind: text},
	"chunksize":                   {kind: integer, minimum: 5 << 20},
	"multipartcopychunksize":      {kind: integer, minimum: 5 << 20},
	"multipartcopymaxconcurrency": {kind: integer, minimum: 1},
	"multipartcopythresholdsize":  {kind: integer},
	"rootdirectory":               {kind: text},
	"storageclass": {kind: text, allowed: []string{
		"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
		"OUTPOSTS", "GLACIER_IR", "EXPRESS_ONEZONE", "NONE",
	}},
	"objectacl": {kind: text, allowed: []string{
		"private", "public-read", "public-read-write", "authenticated-read",
		"aws-exec-read", "bucket-owner-read", "bucket-owner-full-control",
	}},
	"usedualstack":    {kind: boolean},
	"accelerate":      {kind: boolean},
	"usefipsendpoint": {kind: boolean},
	"useragent":       {kind: text},
	"loglevel": {kind: text, allowed: []string{
		"off", "debug", "debugwithsigning", "debugwithhttpbody", "debugwithrequestretries",
		"debugwithrequesterrors", "debugwitheventstreambody",
	}},
}

// rulesOf derives the rules from the options of one of this server's own drivers.
func rulesOf(t reflect.Type) map[string]*rule {
	kinds := map[reflect.Kind]kind{
		reflect.String: text, reflect.Bool: boolean, reflect.Int: integer, reflect.Int64: integer, reflect.Slice: list, reflect.Map: table,
	}
	rules := map[string]*rule{}
	for _, option := range options.Of(t) {
		r := &rule{kind: kinds[option.Type.Kind()], required: option.Required, secret: option.Secret, minimum: int(option.Least)}
		switch r.kind {
		case list:
			r.item = &rule{kind: text, allowed: option.Allowed}
		case table:
			r.item = &rule{kind: text, secret: option.Secret}
		default:
			r.allowed = option.Allowed
		}
		rules[option.Name] = r
	}
	return rules
}

func gcsParameters() map[string]*rule {
	rules := rulesOf(reflect.TypeFor[gcs.Options]())
	rules["rootdirectory"].valid = folderOfGoogle
	return rules
}

func swiftParameters() map[string]*rule {
	rules := rulesOf(reflect.TypeFor[swift.Options]())
	rules["authurl"].valid = absoluteURL
	return rules
}

func storageRule() *rule {
	keys := map[string]*rule{}
	for name, r := range subsections {
		keys[name] = r
	}
	for name, parameters := range drivers {
		// The rule is not for a path on this machine.
		if folder := parameters["rootdirectory"]; folder != nil && folder.valid == nil && name != "filesystem" {
			folder.valid = folderOfStore
		}
		keys[name] = &rule{kind: section, keys: parameters}
	}
	return &rule{kind: section, required: true, keys: keys}
}

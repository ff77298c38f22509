package store

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
)

// place is what identifies a store to people.
type place struct {
	driver string
	// what it is: bucket, container, folder.
	noun string
	name string
	// root is the folder in it that everything is in.
	root string
	// where it is, ready to follow the name: ` at https://…`; empty if the driver's name says it all.
	where string
	// keys of the configuration, for advice.
	nameKey, regionKey, credentialKeys string
}

func placeOf(driver string, parameters configuration.Parameters) place {
	p := place{driver: driver, noun: "bucket", nameKey: "bucket"}
	get := func(name string) string {
		if value, ok := parameters[name]; ok && value != nil {
			return fmt.Sprint(value)
		}
		return ""
	}
	switch driver {
	case "s3", "s3aws":
		p.where = firstOf(at(get("regionendpoint")), " in region "+get("region"))
		p.regionKey, p.credentialKeys = "region", "accesskey and secretkey"
		if get("regionendpoint") != "" {
			p.regionKey = "regionendpoint and region"
		}
	case "azure":
		p.noun, p.nameKey = "container", "container"
		realm := firstOf(get("realm"), "core.windows.net")
		p.where = at(firstOf(get("serviceurl"), fmt.Sprintf("https://%s.blob.%s", get("accountname"), realm)))
		p.credentialKeys = "accountname, accountkey and credentials"
	case "gcs":
		p.credentialKeys = "keyfile or credentials"
	case "swift":
		p.noun, p.nameKey = "container", "container"
		p.where = at(get("authurl"))
		p.regionKey, p.credentialKeys = "region", "username and password"
	case "oss":
		p.where = firstOf(at(get("endpoint")), " in region "+get("region"))
		p.regionKey, p.credentialKeys = "region", "accesskeyid and accesskeysecret"
	case "filesystem":
		p.noun, p.nameKey = "folder", "rootdirectory"
		p.name = firstOf(get("rootdirectory"), "/var/lib/registry")
	default:
		p.noun, p.nameKey = "store", ""
	}
	if p.name == "" {
		p.name, p.root = get(p.nameKey), get("rootdirectory")
	}
	return p
}

// Below is the path under which people find in the store what a driver calls name.
func (p place) Below(name string) string { return path.Join("/", p.root, name) }

// String is for example: s3 bucket "images" at http://127.0.0.1:7070.
func (p place) String() string {
	text := p.driver + " " + p.noun
	if p.name != "" {
		text += fmt.Sprintf(" %q", p.name)
	}
	return text + p.where
}

// key is the full name of a key of the driver's configuration.
func (p place) key(name string) string { return "storage." + p.driver + "." + name }

// at leaves out the user and password that an address may hold.
func at(address string) string {
	if address == "" {
		return ""
	}
	if u, err := url.Parse(address); err == nil && u.User != nil {
		u.User = nil
		address = u.String()
	}
	if i := strings.LastIndex(address, "@"); i >= 0 {
		address = "…" + address[i:]
	}
	return " at " + address
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

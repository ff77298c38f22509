package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

func positiveDuration(value string) error {
	if d, err := time.ParseDuration(value); err == nil && d <= 0 {
		return errors.New("must be more than 0")
	}
	return nil
}

func absoluteURL(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return errors.New("is not a URL with scheme and host, such as https://registry.example.com")
	}
	return nil
}

// webURL checks a URL that logs may show; a login has to be given in another way.
func webURL(login string) func(string) error {
	return func(value string) error {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return errors.New("must be a URL with http:// or https:// and without a user; " + login)
		}
		return nil
	}
}

func hostAndPort(value string) error {
	if _, _, err := net.SplitHostPort(value); err != nil {
		return errors.New("is not an address such as :5000 or 127.0.0.1:5000")
	}
	return nil
}

func leadingSlash(value string) error {
	if !strings.HasPrefix(value, "/") {
		return errors.New("must begin with /")
	}
	return nil
}

// mostOfFolder leaves most of the 1024 bytes of an object's name to the registry.
const mostOfFolder = 256

// folderOfStore is the same check for every store: clients of stores tidy names, truncate or refuse them.
func folderOfStore(value string) error {
	path := strings.Trim(value, "/")
	dots := func(part string) bool { return part == "." || part == ".." }
	if slices.ContainsFunc(strings.Split(path, "/"), dots) || strings.ContainsFunc(path, unicode.IsControl) || len(path) > mostOfFolder {
		return fmt.Errorf(`must be a folder without "." and ".." in its path and without control characters, of %d bytes at most`, mostOfFolder)
	}
	return nil
}

// folderOfGoogle refuses a leading blank: the engine's driver dropped it from the names that it made, but not from those that it read.
func folderOfGoogle(value string) error {
	if folder := strings.Trim(value, "/"); folder != strings.TrimLeftFunc(folder, unicode.IsSpace) {
		return errors.New("must be a folder that begins with no blank")
	}
	return folderOfStore(value)
}

func slashes(value string) error {
	if !strings.HasPrefix(value, "/") || !strings.HasSuffix(value, "/") {
		return errors.New("must begin and end with /")
	}
	return nil
}

func regularExpression(value string) error {
	if _, err := regexp.Compile(value); err != nil {
		return fmt.Errorf("is not a regular expression: %w", err)
	}
	return nil
}

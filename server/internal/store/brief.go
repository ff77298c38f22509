package store

import (
	"regexp"
	"strings"
)

const (
	longestText    = 240
	shortestSecret = 4
)

var (
	// Azure writes a page: request, status, code and the answer's body.
	azurePage = regexp.MustCompile(`(?s)RESPONSE (\d+): .*?ERROR CODE:? (\w+).*`)
	// GCS names the deadline first and what really happened last.
	lastError = regexp.MustCompile(`(?s)^.*; last error: `)
	// S3 puts what really happened after "caused by", and numbers for its support at the end.
	causedBy      = regexp.MustCompile(`(?s)^.*caused by: `)
	requestNumber = regexp.MustCompile(`(?s)\s*status code: \d+, request id: .*`)
	requestLine   = regexp.MustCompile(`(?:Get|Head|Put|Post|Delete) "[^"]*": `)
)

// brief is the text of a driver's error on one line, without secrets and without the parts
// that do not help people.
func brief(driver string, err error, secrets []string) string {
	text := err.Error()
	for _, secret := range secrets {
		if len(secret) >= shortestSecret {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	if page := azurePage.FindStringSubmatch(text); page != nil {
		text = page[2] + ", HTTP " + page[1]
	}
	text = lastError.ReplaceAllString(text, "")
	text = causedBy.ReplaceAllString(text, "")
	text = requestNumber.ReplaceAllString(text, "")
	text = requestLine.ReplaceAllString(text, "")
	text = strings.Join(strings.Fields(text), " ")
	for _, name := range []string{driver, "s3aws"} {
		text = strings.TrimPrefix(text, name+": ")
	}
	if letters := []rune(text); len(letters) > longestText {
		text = string(letters[:longestText]) + "…"
	}
	return text
}

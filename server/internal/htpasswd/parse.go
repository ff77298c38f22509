package htpasswd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// errIncomplete is a file that is probably being written.
var errIncomplete = errors.New("the file is incomplete: its content does not have the sum of its #!sha256 line")

// Parse reads the content of a file. Its error names every line that is wrong, and
// repeats no hash, nor a line that may be a password.
func Parse(content []byte) (*Users, error) {
	p := parser{users: &Users{
		sum:    sha256.Sum256(content),
		hashes: map[string][][]byte{},
		rights: map[string]Rights{},
		cost:   bcrypt.MinCost,
		tries:  1,
	}}
	// Editors of Windows begin a file with a byte order mark.
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if err := checkSum(content); err != nil {
		return nil, err
	}
	for i, line := range strings.Split(string(content), "\n") {
		if err := p.line(i, strings.TrimSpace(line)); err != nil {
			p.problems = append(p.problems, fmt.Sprintf("line %d: %v", i+1, err))
		}
	}
	for _, a := range p.access {
		if !p.users.Known(a.name) {
			p.problems = append(p.problems, fmt.Sprintf("line %d: #!access: there is no user %q", a.line, a.name))
		}
	}
	if len(p.problems) > 0 {
		return nil, errors.New(strings.Join(p.problems, "; "))
	}
	if len(p.users.hashes) == 0 && p.users.anonymous == nil {
		return nil, errors.New("the file holds no users")
	}
	return p.users, nil
}

// highestCost is the most that htpasswd -B makes. It takes some ten seconds, and each more twice
// as long, in which who guesses keeps a processor from others.
const highestCost = 17

const sumDirective = "#!sha256"

func checkSum(content []byte) error {
	first, rest, _ := bytes.Cut(content, []byte("\n"))
	want, ok := strings.CutPrefix(string(first), sumDirective)
	if !ok {
		return nil
	}
	sum := sha256.Sum256(rest)
	if strings.TrimSpace(want) != hex.EncodeToString(sum[:]) {
		return errIncomplete
	}
	return nil
}

type parser struct {
	users    *Users
	access   []accessLine
	problems []string
}

type accessLine struct {
	line int
	name string
}

func (p *parser) line(index int, line string) error {
	switch {
	case strings.HasPrefix(line, "#!"):
		return p.directive(index, strings.Fields(line))
	case line == "", strings.HasPrefix(line, "#"):
		return nil
	}
	name, hash, ok := strings.Cut(line, ":")
	if !ok || name == "" {
		return errors.New("is not <user>:<bcrypt hash>")
	}
	if strings.TrimSpace(name) != name {
		return fmt.Errorf("the name %q ends with white space", name)
	}
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil || !strings.HasPrefix(hash, "$2") || len(hash) != len(dummyHash(cost)) {
		return fmt.Errorf("the hash of user %q is not bcrypt; make it with htpasswd -B", name)
	}
	if cost > highestCost {
		return fmt.Errorf("the hash of user %q has cost %d; %d is the most", name, cost, highestCost)
	}
	p.users.cost = max(p.users.cost, cost)
	p.users.hashes[name] = append(p.users.hashes[name], []byte(hash))
	p.users.tries = max(p.users.tries, len(p.users.hashes[name]))
	return nil
}

func (p *parser) directive(index int, words []string) error {
	switch words[0] {
	case sumDirective:
		if index != 0 {
			return errors.New("#!sha256 must be the first line")
		}
		return nil
	case "#!access":
		return p.accessDirective(index, words[1:])
	case "#!anonymous":
		return p.anonymousDirective(words[1:])
	default:
		return fmt.Errorf("%s is unknown; allowed: #!sha256, #!access, #!anonymous", words[0])
	}
}

func (p *parser) accessDirective(index int, words []string) error {
	if len(words) < 2 || words[1] != "push-pull" && words[1] != "pull" {
		return errors.New("is not #!access <user> <push-pull|pull> [<pattern> ...]")
	}
	g, err := newGrant(words[1] == "push-pull", words[2:])
	if err != nil {
		return fmt.Errorf("#!access: %w", err)
	}
	name := words[0]
	p.users.rights[name] = Rights{append(p.users.rights[name].grants, g)}
	p.access = append(p.access, accessLine{index + 1, name})
	return nil
}

func (p *parser) anonymousDirective(words []string) error {
	if len(words) < 1 || words[0] != "pull" {
		return errors.New("is not #!anonymous pull [<pattern> ...]")
	}
	g, err := newGrant(false, words[1:])
	if err != nil {
		return fmt.Errorf("#!anonymous: %w", err)
	}
	if p.users.anonymous == nil {
		p.users.anonymous = &Rights{}
	}
	p.users.anonymous.grants = append(p.users.anonymous.grants, g)
	return nil
}

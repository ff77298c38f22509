package config

import (
	"fmt"
	"sort"
	"strings"
)

// problem is one thing that is wrong with the file.
type problem struct {
	line    int
	path    string
	message string
}

// problems is everything that is wrong with one file. It is an error, so that an
// operator sees all of it at once instead of one problem per attempt.
type problems struct {
	file string
	list []problem
}

func (p *problems) add(line int, path, format string, args ...any) {
	p.list = append(p.list, problem{line, path, fmt.Sprintf(format, args...)})
}

func (p *problems) Error() string {
	sort.SliceStable(p.list, func(i, j int) bool { return p.list[i].line < p.list[j].line })
	var b strings.Builder
	noun := "problems"
	if len(p.list) == 1 {
		noun = "problem"
	}
	fmt.Fprintf(&b, "%s: %d %s", p.file, len(p.list), noun)
	for _, one := range p.list {
		fmt.Fprintf(&b, "\n  line %d: %s: %s", one.line, one.path, one.message)
	}
	return b.String()
}

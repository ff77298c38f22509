package config

import "strings"

// hint names the key that was probably meant, or all that are allowed.
func hint(name string, keys map[string]*rule) string {
	var allowed []string
	best, bestDistance := "", len(name)/3+1
	for _, key := range sortedKeys(keys) {
		if keys[key].refused != "" {
			continue
		}
		allowed = append(allowed, key)
		if d := distance(plain(name), plain(key)); d < bestDistance {
			best, bestDistance = key, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case len(allowed) == 0:
		return "no keys are allowed here"
	default:
		return "allowed: " + strings.Join(allowed, ", ")
	}
}

// plain drops what people spell differently in other formats: rootDirectory, root_directory.
func plain(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}

// distance is the number of letters to add, drop, change or swap with the next.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

package traces

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"cachesim/sim"
)

// configuredLayout returns the layout that the parameter log-format gives, or
// that the server's configuration which it names has: @nginx.conf:main.
func configuredLayout(value string) (string, error) {
	file, isFile := strings.CutPrefix(value, "@")
	if !isFile {
		if value == "" {
			return "", errors.New("log-format is empty: it is the log_format of nginx, the LogFormat of Apache, or @FILE:NAME for the one of that name in the server's configuration")
		}
		return value, nil
	}
	file, name, found := file, "", false
	if i := strings.LastIndexByte(file, ':'); i >= 0 {
		file, name, found = file[:i], file[i+1:], true
	}
	text, err := readConfig(file)
	if err != nil {
		return "", err
	}
	formats, err := configuredFormats(text)
	if err != nil {
		return "", fmt.Errorf("log-format %s: %w", file, err)
	}
	// nginx has this one without being told; Apache's packages define both.
	formats = append(formats, configuredFormat{"combined", layoutCombined})
	var names []string
	for _, f := range formats {
		if found && f.name == name {
			return f.layout, nil
		}
		if !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	if !found && len(formats) == 2 { // the only one of the file
		return formats[0].layout, nil
	}
	if !found {
		return "", fmt.Errorf("log-format @%s: name one of its formats, as @%s:%s; it has %s", file, file, names[0], sentenceList(names))
	}
	return "", fmt.Errorf("log-format @%s:%s: the file has no log format of that name%s (files that it includes are not read)",
		file, name, sim.DidYouMean(name, names))
}

// ResolveParams returns params with the content of what names a file in place of
// the name: log-format=@nginx.conf:main becomes log-format=$remote_addr ... . What
// identifies how a trace was decoded has to be taken from the result, as the file
// may change. It does not write to params.
func ResolveParams(params map[string]string) (map[string]string, error) {
	value, ok := params["log-format"]
	if !ok || !strings.HasPrefix(value, "@") {
		return params, nil
	}
	layout, err := configuredLayout(value)
	if err != nil {
		return nil, err
	}
	resolved := maps.Clone(params)
	resolved["log-format"] = layout
	return resolved, nil
}

// maxConfig bounds a configuration, in bytes.
const maxConfig = 4 << 20

func readConfig(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("log-format: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return "", fmt.Errorf("log-format: %w", err)
	}
	if len(text) > maxConfig {
		return "", fmt.Errorf("log-format: %s is larger than %d bytes: it is not a server's configuration", file, maxConfig)
	}
	return string(text), nil
}

// A configuredFormat is a log format of a server's configuration.
type configuredFormat struct{ name, layout string }

// configuredFormats returns the log formats that a configuration of nginx or of
// Apache defines. Of two with one name the first counts for nginx, which
// refuses the second, and for Apache the last.
func configuredFormats(text string) ([]configuredFormat, error) {
	nginx, err := nginxFormats(text)
	if err != nil {
		return nil, err
	}
	apache, err := apacheFormats(text)
	if err != nil {
		return nil, err
	}
	slices.Reverse(apache)
	return append(nginx, apache...), nil
}

// nginxFormats finds the directives
//
//	log_format name [escape=default|json|none] 'string' ...;
//
// whose strings may be on several lines and are joined.
func nginxFormats(text string) (formats []configuredFormat, err error) {
	var words []string // of the directive so far
	for {
		word, end, rest, err := nginxWord(text)
		if err != nil {
			return nil, err
		}
		text = rest
		if word != nil {
			words = append(words, *word)
		}
		switch end {
		case 0:
			if len(words) > 0 && words[0] == "log_format" {
				return nil, errors.New("a log_format has no semicolon at its end")
			}
			return formats, nil
		case ';':
			if len(words) > 2 && words[0] == "log_format" {
				parts := words[2:]
				if strings.HasPrefix(parts[0], "escape=") {
					parts = parts[1:]
				}
				formats = append(formats, configuredFormat{words[1], strings.Join(parts, "")})
			}
			words = nil
		case '{', '}':
			words = nil
		}
	}
}

// nginxWord returns the next word of a configuration, without its quotes, and
// the character that ends it: a blank, ; { or }, or 0 at the end.
func nginxWord(text string) (word *string, end byte, rest string, err error) {
	i := 0
	for i < len(text) {
		if blank(text[i]) {
			i++
		} else if text[i] == '#' {
			if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(text)
			}
		} else {
			break
		}
	}
	if i == len(text) {
		return nil, 0, "", nil
	}
	var b strings.Builder
	if c := text[i]; c == '"' || c == '\'' {
		for i++; ; i++ {
			if i >= len(text) {
				return nil, 0, "", errors.New("a string has no closing quote")
			}
			if text[i] == c {
				break
			}
			if text[i] == '\\' && i+1 < len(text) {
				switch text[i+1] {
				case '"', '\'', '\\':
					i++
				case 't':
					b.WriteByte('\t')
					i++
					continue
				}
			}
			b.WriteByte(text[i])
		}
		i++
		s := b.String()
		return &s, ' ', text[i:], nil
	}
	for ; i < len(text); i++ {
		c := text[i]
		if blank(c) || c == ';' || c == '}' || c == '{' && !strings.HasSuffix(b.String(), "$") {
			if b.Len() == 0 {
				return nil, c, text[i+1:], nil
			}
			s := b.String()
			if blank(c) {
				c = ' '
			}
			return &s, c, text[i+1:], nil
		}
		if c == '\\' && i+1 < len(text) {
			i++
			c = text[i]
		}
		b.WriteByte(c)
	}
	s := b.String()
	return &s, 0, "", nil
}

// apacheFormats finds the directives
//
//	LogFormat "format" nickname
//
// whose lines may go on behind a backslash. One without a nickname is called
// "default"; a CustomLog with a format of its own has the name of its file.
func apacheFormats(text string) (formats []configuredFormat, err error) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\\\r\n", ""), "\\\n", "")
	for line := range strings.Lines(text) {
		words := apacheWords(line)
		if len(words) < 2 {
			continue
		}
		switch strings.ToLower(words[0]) {
		case "logformat":
			f := configuredFormat{"default", words[1]}
			if len(words) > 2 {
				f.name = words[2]
			}
			formats = append(formats, f)
		case "customlog", "transferlog":
			if len(words) > 2 && strings.Contains(words[2], "%") {
				formats = append(formats, configuredFormat{words[1], words[2]})
			}
		}
	}
	return formats, nil
}

// apacheWords splits a line of a configuration of Apache. Within quotes a
// backslash escapes a quote or a backslash; what else it is before is left to
// the layout, which knows \t.
func apacheWords(line string) (words []string) {
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" || line[0] == '#' && len(words) == 0 {
			return words
		}
		var b strings.Builder
		i := 0
		if c := line[0]; c == '"' || c == '\'' {
			for i = 1; i < len(line) && line[i] != c; i++ {
				if line[i] == '\\' && i+1 < len(line) && (line[i+1] == c || line[i+1] == '\\') {
					i++
				}
				b.WriteByte(line[i])
			}
			i = min(i+1, len(line))
		} else {
			for i < len(line) && !blank(line[i]) {
				b.WriteByte(line[i])
				i++
			}
		}
		words = append(words, b.String())
		line = line[i:]
	}
}

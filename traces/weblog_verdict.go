package traces

// noVerdict reports whether a cache's verdict says that no cache was asked.
func noVerdict(b []byte) bool {
	switch string(b) {
	case "-", "N/A", "n/a", "CACHE_NOCONFIG", "CONFIG_NOCACHE":
		return true
	}
	return false
}

// cacheHit reports whether a verdict says that the object came from the cache:
// any word with "hit" but for hit-for-pass, and the words for objects that were
// served stale or after a revalidation.
func cacheHit(b []byte) bool {
	if i := indexFold(b, "hit"); i >= 0 {
		return indexFold(b[i:], "pass") < 0 && indexFold(b[:i], "no") < 0
	}
	for _, word := range []string{"stale", "updating", "revalidated", "refresh_unmodified", "refresh_fail_old", "true"} {
		if indexFold(b, word) >= 0 {
			return true
		}
	}
	return false
}

// indexFold is bytes.Index for a lower-case ASCII word in any case.
func indexFold(b []byte, word string) int {
	for i := 0; i+len(word) <= len(b); i++ {
		j := 0
		for j < len(word) && b[i+j]|0x20 == word[j]|0x20 {
			j++
		}
		if j == len(word) {
			return i
		}
	}
	return -1
}

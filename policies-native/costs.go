package native

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// costs is what a request takes in each policy, in multiples of LRU's time, which
// go run ./cmd/compare costs measures.
//
//go:embed costs.csv
var costs string

func init() {
	rows, err := csv.NewReader(strings.NewReader(costs)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("costs.csv: %v", err))
	}
	for _, row := range rows[1:] {
		for i := range All {
			if All[i].Name == row[0] {
				if All[i].Cost, err = strconv.ParseFloat(row[1], 64); err != nil {
					panic(fmt.Sprintf("costs.csv: %v", err))
				}
			}
		}
	}
}

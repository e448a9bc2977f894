package traces

import "slices"

// tables are the text formats of lines with fields.
var tables = []*table{
	csvTable, tsvTable, idLines,
	twitter, metaKV, ibmObject,
	metaCDN, wiki2019Upload, wiki2019Text, wiki2016, wikibench, tencentPhoto, outbrain, gradle, lrb, webcachesimAnt,
	msr, spc, arcLis, lirsTrc, systor, fiu, tencentBlock, alibabaBlock, k5cloud, thesios, tectonic, baleen, etw,
}

// corpusFormats are the formats of the public trace corpora.
var corpusFormats = slices.Concat(
	[]Format{LCS, VSCSI, Parquet, KVJSONL, Binary},
	formatsOf(layouts),
	formatsOf(tables),
)

func formatsOf[T interface{ format() Format }](list []T) (formats []Format) {
	for _, t := range list {
		formats = append(formats, t.format())
	}
	return formats
}

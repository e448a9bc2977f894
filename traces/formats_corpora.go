package traces

import "slices"

// generalTables and corpusTables are the text formats of lines with fields.
var generalTables = []*table{csvTable, tsvTable, idLines}

var corpusTables = []*table{
	twitter, metaKV, ibmObject,
	metaCDN, wiki2019Upload, wiki2019Text, wiki2016, wikibench, tencentPhoto, outbrain, gradle, lrb, webcachesimAnt,
	msr, spc, arcLis, lirsTrc, systor, fiu, tencentBlock, alibabaBlock, k5cloud, thesios, tectonic, baleen, etw,
}

// corpusFormats are the formats of the public trace corpora, and those that can
// be adapted to others.
var corpusFormats = slices.Concat(
	grouped(General, Cachesim, LCS, Binary),
	grouped(General, formatsOf(generalTables)...),
	grouped(Corpora, VSCSI, Parquet),
	grouped(Corpora, formatsOf(layouts)...),
	grouped(Corpora, formatsOf(corpusTables)...),
	grouped(LLM, KVJSONL),
)

func formatsOf[T interface{ format() Format }](list []T) (formats []Format) {
	for _, t := range list {
		formats = append(formats, t.format())
	}
	return formats
}

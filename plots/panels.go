package plots

// FromPanels returns a figure of the given panels, of which there is at least one, for
// data that are no results of cachesim. Series of one name look alike in all panels.
func FromPanels(o Options, name string, panels ...Panel) Figure {
	var names []string
	for _, p := range panels {
		for _, s := range p.Series {
			names = append(names, s.Name)
		}
	}
	o.Style = o.Style.orDefault()
	return xyChart{name: name, title: o.Title, panels: panels, looks: looksOf(names)}.figure(o)
}

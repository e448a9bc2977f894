package kit

// Share returns a part of the capacity, rounded down: what policies bound their
// queues by.
func (s *Space) Share(part float64) int64 { return int64(float64(s.capacity) * part) }

// Demote evicts a resident and remembers it at the front of a queue of ghosts
// that holds at most limit bytes, counted by the sizes that its objects had in
// the cache. Ghosts leave at its back until the new one fits. An object larger
// than limit is evicted without being remembered, and pushes nothing out.
func (q *Queues[T]) Demote(id uint32, ghosts int, limit int64) {
	size := q.Size(id)
	if size > limit {
		q.Evict(id)
		return
	}
	for q.Bytes(ghosts)+size > limit {
		q.Drop(q.Back(ghosts))
	}
	q.Move(id, ghosts)
}

// Forget drops the object if it is in the given queue of ghosts, and reports
// whether it was.
func (q *Queues[T]) Forget(id uint32, ghosts int) bool {
	if !q.In(ghosts, id) {
		return false
	}
	q.Drop(id)
	return true
}

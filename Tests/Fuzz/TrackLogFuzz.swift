import TrackLog

/// A log as a killed writer, a bad disk or anybody leaves it.
///
/// Each byte is of one record or told as damage; pieces make no difference; and what was read is the same once it is written again.
package func fuzzTrackLog(_ bytes: [UInt8]) -> String? {
    let whole = items(of: bytes, pieces: max(1, bytes.count))
    if whole != items(of: bytes, pieces: 13) { return "pieces that read otherwise than the whole" }
    var written: [UInt8] = []
    var damaged = 0
    var count = 0
    var wasDamage = false
    for item in whole {
        switch item {
        case .record(let record):
            LogLayout.append(record, to: &written)
            count += 1
            wasDamage = false
        case .damage(let bytes):
            if bytes <= 0 || wasDamage { return "damage of nothing, or twice in a row" }
            damaged += bytes
            wasDamage = true
        }
    }
    if written.count + damaged != bytes.count { return "\(written.count + damaged) bytes of \(bytes.count)" }
    if LogLayout.seal(&written) != count { return "another number of records" }
    let again = items(of: written, pieces: max(1, written.count))
    let records = whole.filter { if case .record = $0 { true } else { false } }
    return again == records ? nil : "records that are others once they are written again"
}

private func items(of bytes: [UInt8], pieces: Int) -> [LogReader.Item] {
    var reader = LogReader()
    var items: [LogReader.Item] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
        reader.feed(bytes[start..<min(start + pieces, bytes.count)])
        while let item = reader.next() { items.append(item) }
    }
    reader.end()
    while let item = reader.next() { items.append(item) }
    return items
}

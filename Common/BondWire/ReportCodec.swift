/// The bytes of a report: its time, then each link with its arrivals from the newest to the oldest.
///
/// An arrival is one byte where it is the datagram before the one told last and came less than 12.8 ms before it:
///
///     0ttttttt                     sequence - 1, t units of 0.1 ms earlier
///     10tttttt tttttttt            the same, up to 16,383 units
///     11000000 varint varint       sequence by a zigzag difference, then units
extension Report {
    /// Of the encoded report at most; what is oldest is left out.
    package static let byteLimit = 1150
    /// What times are told in.
    static let unit: Microseconds = 100
    private static let headBytes = 9

    func append(to bytes: inout [UInt8]) {
        let time = max(0, sentAt)
        bytes.append64(UInt64(time))
        let told = links.prefix(LinkNumber.limit)
        bytes.append(UInt8(told.count))
        var writers = told.map { LinkWriter($0, sentAt: time) }
        var room = Self.byteLimit - Self.headBytes - writers.reduce(0) { $0 + $1.head.count + 2 }
        // The newest of all links first, so that what does not fit is what is oldest.
        while let index = Self.newest(writers), writers[index].step(&room) {}
        for writer in writers { writer.append(to: &bytes) }
    }

    private static func newest(_ writers: [LinkWriter]) -> Int? {
        var best: (index: Int, units: Int64)?
        for (index, writer) in writers.enumerated() {
            guard let units = writer.nextUnits else { continue }
            if best.map({ units < $0.units }) ?? true { best = (index, units) }
        }
        return best?.index
    }

    init?(_ reader: inout ByteReader) {
        guard let time = reader.u64(), time < 1 << 62, let count = reader.u8(), count <= LinkNumber.limit else { return nil }
        sentAt = Microseconds(time)
        links = []
        var seen = Set<LinkNumber>()
        for _ in 0..<count {
            guard let link = LinkArrivals(&reader, sentAt: sentAt), seen.insert(link.link).inserted else { return nil }
            links.append(link)
        }
    }
}

/// One link of a report on its way into bytes.
private struct LinkWriter {
    let head: [UInt8]
    private let arrivals: [LinkArrivals.Arrival]
    private let sentAt: Microseconds
    private var body: [UInt8] = []
    private var count = 0
    private var last: (sequence: UInt64, units: Int64)?

    init(_ link: LinkArrivals, sentAt: Microseconds) {
        var head = [link.link.value]
        head.append24(link.connection.value)
        head.appendVarint(link.received)
        self.head = head
        arrivals = link.arrivals
        self.sentAt = sentAt
    }

    /// How long before the report the next arrival came; nil at the end.
    var nextUnits: Int64? {
        count < arrivals.count ? units(arrivals[arrivals.count - 1 - count]) : nil
    }

    private func units(_ arrival: LinkArrivals.Arrival) -> Int64 {
        max(last?.units ?? 0, (sentAt - min(sentAt, max(0, arrival.at))) / Report.unit)
    }

    /// Writes the next arrival.
    /// - Returns: false where it does not fit.
    mutating func step(_ room: inout Int) -> Bool {
        let arrival = arrivals[arrivals.count - 1 - count]
        let units = units(arrival)
        let before = body.count
        if let last {
            append(Int64(bitPattern: arrival.sequence &- last.sequence), UInt64(units - last.units))
        } else {
            body.appendVarint(arrival.sequence)
            body.appendVarint(UInt64(units))
        }
        guard body.count - before <= room else {
            body.removeLast(body.count - before)
            return false
        }
        room -= body.count - before
        last = (arrival.sequence, units)
        count += 1
        return true
    }

    private mutating func append(_ step: Int64, _ units: UInt64) {
        if step == -1, units < 0x80 {
            body.append(UInt8(units))
        } else if step == -1, units < 0x4000 {
            body.append(0x80 | UInt8(units >> 8))
            body.append(UInt8(truncatingIfNeeded: units))
        } else {
            body.append(0xc0)
            body.appendVarint(UInt64(bitPattern: step << 1 ^ step >> 63))
            body.appendVarint(units)
        }
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: head)
        bytes.appendVarint(UInt64(count))
        bytes.append(contentsOf: body)
    }
}

extension LinkArrivals {
    fileprivate init?(_ reader: inout ByteReader, sentAt: Microseconds) {
        guard let number = reader.u8(), let link = LinkNumber(Int(number)), let connection = reader.u24(), let received = reader.varint(),
            let count = reader.varint(), count <= UInt64(reader.remaining)
        else { return nil }
        var arrivals: [Arrival] = []
        arrivals.reserveCapacity(Int(count))
        var (sequence, units): (UInt64, UInt64) = (0, 0)
        for index in 0..<count {
            guard let (step, time) = index == 0 ? Self.first(&reader) : Self.next(&reader) else { return nil }
            let (moved, isBeyond) = units.addingReportingOverflow(time)
            guard !isBeyond, moved <= UInt64(sentAt / Report.unit) else { return nil }
            (sequence, units) = (sequence &+ step, moved)
            arrivals.append(Arrival(sequence: sequence, at: sentAt - Microseconds(units) * Report.unit))
        }
        arrivals.reverse()
        self.init(link: link, arrivals: arrivals, connection: ConnectionNumber(connection), received: received)
    }

    private static func first(_ reader: inout ByteReader) -> (UInt64, UInt64)? {
        guard let sequence = reader.varint(), let units = reader.varint() else { return nil }
        return (sequence, units)
    }

    private static func next(_ reader: inout ByteReader) -> (UInt64, UInt64)? {
        guard let byte = reader.u8() else { return nil }
        if byte < 0x80 { return (.max, UInt64(byte)) }
        if byte < 0xc0 { return reader.u8().map { (.max, UInt64(byte & 0x3f) << 8 | UInt64($0)) } }
        guard byte == 0xc0, let step = reader.varint(), let units = reader.varint() else { return nil }
        return (UInt64(bitPattern: Int64(bitPattern: step >> 1) ^ -Int64(step & 1)), units)
    }
}

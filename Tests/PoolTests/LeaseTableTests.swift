import Testing
import Units
import Wire

@testable import Pool

@Suite("Lease table")
struct LeaseTableTests {
    private func table(capacity: Int = 3, ports: PortRange = PortRange(first: 5000, last: 5003), remembered: [LeaseID: Int] = [:])
        -> LeaseTable
    {
        LeaseTable(capacity: capacity, ports: ports, remembered: remembered)
    }

    private func taken(_ table: inout LeaseTable, _ number: Int, preferred: Int? = nil, used: Set<Int> = []) throws -> Int {
        try table.take(
            LeaseRequest(spec: .sample(number), preferredPort: preferred), isFree: { !used.contains($0) }, listenerFault: { _ in nil }
        ).port
    }

    private func listen(_ table: inout LeaseTable, _ number: Int, _ places: (String, Int)..., fault: String? = nil) throws {
        let outputs = places.enumerated().map { OutputSpec.listener($0.offset, $0.element.0, $0.element.1) }
        _ = try table.take(LeaseRequest(spec: .sample(number, outputs: outputs)), isFree: { _ in true }, listenerFault: { _ in fault })
    }

    @Test("leases get different ports, the same lease gets the same")
    func distinct() throws {
        var table = table()
        #expect(try taken(&table, 1) == 5000)
        #expect(try taken(&table, 2) == 5001)
        #expect(try taken(&table, 1) == 5000)
        #expect(try taken(&table, 1, preferred: 5003) == 5000)
        #expect(table.all.count == 2)
    }

    @Test("a full host refuses with the numbers, and takes again what ended")
    func full() throws {
        var table = table(capacity: 2)
        _ = try taken(&table, 1)
        _ = try taken(&table, 2)
        #expect(throws: LeaseTable.Refusal.full(streams: 2, capacity: 2)) { try taken(&table, 3) }
        #expect("\(LeaseTable.Refusal.full(streams: 2, capacity: 2))" == "the host is full: 2 of 2 streams")
        #expect(try taken(&table, 2) == 5001)
        table.end(StreamSpec.sample(1).lease)
        #expect(try taken(&table, 3) == 5000)
    }

    @Test("a busy host gives no new lease and says the figures; what it gave it gives again, also where it has lost it")
    func busy() throws {
        var table = LeaseTable(capacity: 3, cpuLimit: 90, ports: PortRange(first: 5000, last: 5003))
        func take(_ number: Int, at percent: Int?) throws -> LeaseTable.Entry {
            try table.take(LeaseRequest(spec: .sample(number)), cpuPercent: percent, isFree: { _ in true }, listenerFault: { _ in nil })
        }
        let first = try take(1, at: 89)
        #expect(throws: LeaseTable.Refusal.busy(percent: 90, limit: 90)) { try take(2, at: 90) }
        #expect(try take(1, at: 100) == first)
        #expect(try take(2, at: nil).port != first.port)
        // Its host lost it, e.g. by a reboot, and all streams come back at once.
        func port(_ request: LeaseRequest) throws -> Int {
            try table.take(request, cpuPercent: 100, isFree: { _ in true }, listenerFault: { _ in nil }).port
        }
        // A port alone is a wish of a new one's.
        #expect(throws: LeaseTable.Refusal.busy(percent: 100, limit: 90)) {
            try port(LeaseRequest(spec: .sample(3), preferredPort: 5003, isAgain: false))
        }
        #expect(try port(LeaseRequest(spec: .sample(3), preferredPort: 5003, isAgain: true)) == 5003)
        table.end(LeaseTable.Entry(spec: .sample(3), port: 5003).spec.lease)
        // So does an older control ask, which names a port only then.
        #expect(try port(LeaseRequest(spec: .sample(3), preferredPort: 5003)) == 5003)
    }

    @Test("the load is what was not idle over the last ten looks")
    func load() {
        var load = HostLoad()
        func stat(_ busy: Int, _ idle: Int) -> String { "cpu  \(busy) 0 0 \(idle) 0 0 0 0 0 0\ncpu0 1 1 1 1\n" }
        #expect(load.percent(stat(100, 100)) == nil)
        load.note(stat(100, 100))
        #expect(load.percent(stat(100, 100)) == nil)
        #expect(load.percent(stat(175, 125)) == 75)
        for step in 0..<10 { load.note(stat(175, 125 + 100 * step)) }
        #expect(load.percent(stat(175, 2000)) == 0)
        load.note("")
        load.note("cpu  1 2")
        #expect(load.percent("cpu  1 2") == nil)
        #expect(HostLoad.now()?.hasPrefix("cpu ") == true)
    }

    @Test("a port that somebody else uses is skipped; without a free one the refusal counts both")
    func others() throws {
        var table = table(capacity: 9)
        #expect(try taken(&table, 1, used: [5000]) == 5001)
        #expect(throws: LeaseTable.Refusal.noPort(PortRange(first: 5000, last: 5003), ours: 1, others: 3)) {
            try taken(&table, 2, used: [5000, 5002, 5003])
        }
        #expect(table.all.count == 1)
    }

    @Test("the preferred port is given where it is free and in the range")
    func preferred() throws {
        var table = table(capacity: 9)
        #expect(try taken(&table, 1, preferred: 5002) == 5002)
        #expect(try taken(&table, 2, preferred: 5002) == 5000)
        #expect(try taken(&table, 3, preferred: 80) == 5001)
        #expect(try taken(&table, 4, preferred: 5003, used: [5000]) == 5003)
    }

    @Test("a remembered port is kept for its lease, and yields only when nothing else is free")
    func remembered() throws {
        let first = StreamSpec.sample(1).lease
        var table = table(capacity: 9, remembered: [first: 5000])
        #expect(try taken(&table, 2) == 5001)
        #expect(try taken(&table, 1) == 5000)
        var crowded = self.table(capacity: 9, remembered: [first: 5000])
        for number in 2...4 { #expect(try taken(&crowded, number) != 5000) }
        #expect(try taken(&crowded, 5) == 5000)
        #expect(crowded.portsToKeep[first] == nil)
    }

    @Test("an ended lease leaves nothing behind, and ending it twice is as good")
    func ended() throws {
        var table = table()
        _ = try taken(&table, 1)
        for _ in 0..<2 { table.end(StreamSpec.sample(1).lease) }
        #expect(table.all.isEmpty && table.portsToKeep.isEmpty)
    }

    @Test("the same lease for another stream is a conflict")
    func conflict() throws {
        var table = table()
        _ = try taken(&table, 1)
        var other = StreamSpec.sample(1)
        other.streamKey = SecretOnWire(Secret("another"))
        #expect(throws: LeaseTable.Refusal.conflict(other.lease)) {
            try table.take(LeaseRequest(spec: other), isFree: { _ in true }, listenerFault: { _ in nil })
        }
    }

    @Test("an SRT listener's port is held by its lease, until the lease or the output is gone")
    func listeners() throws {
        var table = table(capacity: 9)
        try listen(&table, 1, ("0.0.0.0", 9000))
        #expect(throws: LeaseTable.Refusal.listenerTaken(port: 9000)) { try listen(&table, 2, ("192.0.2.1", 9000)) }
        #expect(throws: LeaseTable.Refusal.listenerTaken(port: 9001)) { try listen(&table, 2, ("::", 9001), ("::", 9001)) }
        #expect(table.all.count == 1)
        try listen(&table, 2, ("192.0.2.1", 9001))
        try listen(&table, 3, ("192.0.2.2", 9001))
        try listen(&table, 1, ("0.0.0.0", 9000))
        table.setOutputs([], of: StreamSpec.sample(1).lease)
        try listen(&table, 4, ("192.0.2.1", 9000))
        table.end(StreamSpec.sample(4).lease)
        try listen(&table, 5, ("0.0.0.0", 9000))
    }

    @Test("an SRT listener that the kernel would refuse is refused with its reason, at the start and while live")
    func unfitListeners() throws {
        var table = table(capacity: 9)
        #expect(throws: LeaseTable.Refusal.listenerUnfit("in use")) { try listen(&table, 1, ("0.0.0.0", 9000), fault: "in use") }
        try listen(&table, 1)
        let lease = StreamSpec.sample(1).lease
        #expect(throws: LeaseTable.Refusal.listenerUnfit("in use")) {
            try table.add(.listener(1, "0.0.0.0", 9000), to: lease) { _ in "in use" }
        }
        for _ in 0..<2 { try table.add(.listener(1, "0.0.0.0", 9000), to: lease) { _ in nil } }
        #expect(table[lease]?.spec.outputs == [.listener(1, "0.0.0.0", 9000)])
        #expect(throws: LeaseTable.Refusal.listenerTaken(port: 9000)) { try listen(&table, 2, ("0.0.0.0", 9000)) }
    }

    @Test("a listener that goes to another port holds that one, and its own port is no stranger's to it")
    func movedListener() throws {
        var table = table(capacity: 9)
        try listen(&table, 1, ("127.0.0.1", 9000))
        try listen(&table, 2, ("127.0.0.1", 9001))
        let lease = StreamSpec.sample(1).lease
        // The kernel finds the port taken: by this very listener.
        var again = OutputSpec.listener(0, "127.0.0.1", 9000)
        if case .srt(var target) = again.target {
            target.passphrase = SecretOnWire(Secret("another-passphrase"))
            again.target = .srt(target)
        }
        try table.add(again, to: lease) { _ in "in use" }
        #expect(table[lease]?.spec.outputs == [again])
        #expect(throws: LeaseTable.Refusal.listenerTaken(port: 9001)) {
            try table.add(.listener(0, "127.0.0.1", 9001), to: lease) { _ in nil }
        }
        #expect(table[lease]?.spec.outputs == [again])
        try table.add(.listener(0, "127.0.0.1", 9002), to: lease) { _ in nil }
        try listen(&table, 3, ("127.0.0.1", 9000))
    }

    @Test("a running stream is adopted over the capacity, but never onto a port of another")
    func adoption() throws {
        var table = table(capacity: 1)
        let adopted = [(1, 5001), (2, 7000), (3, 5001), (1, 5002)].map { table.adopt(.sample($0), port: $1) }
        #expect(adopted == [true, true, false, false])
        #expect(throws: LeaseTable.Refusal.full(streams: 2, capacity: 1)) { try taken(&table, 4) }
        #expect(table.portsToKeep == [StreamSpec.sample(1).lease: 5001, StreamSpec.sample(2).lease: 7000])
    }
}

extension StreamSpec {
    /// A stream with ids that end in the number.
    static func sample(_ number: Int, outputs: [OutputSpec] = []) -> StreamSpec {
        func id(_ letter: String) -> String {
            "01ARZ3NDEKTSV4RRFFQ69G\(letter)" + String(repeating: "0", count: 3 - "\(number)".count) + "\(number)"
        }
        return StreamSpec(
            lease: LeaseID(id("A"))!, broadcast: BroadcastID(id("B"))!, carrier: .bond,
            streamKey: SecretOnWire(Secret("test-stream-key-\(number)")),
            bufferMs: 1000,
            outputs: outputs)
    }
}

extension OutputSpec {
    /// An SRT listener whose id ends in the number.
    static func listener(_ number: Int, _ address: String, _ port: Int) -> OutputSpec {
        OutputSpec(
            id: OutputID("01ARZ3NDEKTSV4RRFFQ69G5F0\(number)")!,
            target: .srt(
                SRTTarget(
                    mode: .listener, address: address, port: port, passphrase: SecretOnWire(Secret("a-passphrase")), streamID: nil,
                    latencyMs: 200)))
    }
}

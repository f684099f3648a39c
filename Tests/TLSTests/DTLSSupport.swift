import BondWire
import CTimeOfDay
import Crypto
import Testing

@testable import TLS

/// xorshift64*, so that a run can be repeated.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }

    mutating func chance(_ percent: Int) -> Bool { Int(next() % 100) < percent }
}

/// 2026-11-23, in Unix seconds.
let today: Int64 = 1_795_392_000

/// Two sessions and the way between them, in a time of its own, which OpenSSL sees as the wall clock.
///
/// To be used on one thread, without an `await`.
final class Call {
    enum End: Int, CaseIterable {
        case client = 0
        case server = 1

        var other: End { self == .client ? .server : .client }
    }

    /// What the way makes of a datagram: how late each copy comes, in microseconds; none where it is lost.
    typealias Way = (_ from: End, _ datagram: [UInt8]) -> [Microseconds]

    private var sessions: [DTLSSession]
    private var way: Way
    private var underWay: [(at: Microseconds, to: End, datagram: [UInt8])] = []
    private(set) var now: Microseconds = 0
    private(set) var events: [[DTLSEvent]] = [[], []]
    private(set) var datagrams: [[[UInt8]]] = [[], []]

    init(client: DTLSSession, server: DTLSSession, way: @escaping Way = { _, _ in [1000] }) {
        sessions = [client, server]
        self.way = way
        ctimeofday_set(Int64(today) * 1_000_000)
    }

    deinit { ctimeofday_clear() }

    subscript(_ end: End) -> DTLSSession { sessions[end.rawValue] }

    func start() {
        for end in End.allCases { handle(self[end].start(at: now), of: end) }
    }

    /// Carries what is under way, and calls for what is due, until nothing is or the time is over.
    func run(until end: Microseconds) {
        while let next = nextMoment, next <= end {
            now = max(now, next)
            ctimeofday_set(Int64(today) * 1_000_000 + now)
            let arrived = underWay.filter { $0.at <= now }
            underWay.removeAll { $0.at <= now }
            for item in arrived { handle(self[item.to].take(item.datagram, at: now), of: item.to) }
            for end in End.allCases {
                if let deadline = self[end].deadline, deadline <= now { handle(self[end].advance(to: now), of: end) }
            }
        }
    }

    private var nextMoment: Microseconds? { (underWay.map(\.at) + End.allCases.compactMap { self[$0].deadline }).min() }

    func handle(_ new: [DTLSEvent], of end: End) {
        for event in new {
            guard case .send(let datagram) = event else {
                events[end.rawValue].append(event)
                continue
            }
            datagrams[end.rawValue].append(datagram)
            for delay in way(end, datagram) { underWay.append((now + delay, end.other, datagram)) }
        }
    }

    func events(of end: End) -> [DTLSEvent] { events[end.rawValue] }
    func datagrams(of end: End) -> [[UInt8]] { datagrams[end.rawValue] }

    func connection(of end: End) -> DTLSConnection? {
        for case .connected(let connection) in events(of: end) { return connection }
        return nil
    }
}

/// Two ends that know each other's fingerprints.
func call(way: @escaping Call.Way = { _, _ in [1000] }) throws -> Call {
    let (one, other) = (try DTLSContext(at: today), try DTLSContext(at: today))
    return Call(
        client: try DTLSSession(one, .client, peer: [other.fingerprint]), server: try DTLSSession(other, .server, peer: [one.fingerprint]),
        way: way)
}

/// A datagram of one handshake record as several, each with a fragment of at most `size` bytes. Source: RFC 6347 section 4.2.3.
func fragments(_ datagram: [UInt8], of size: Int) -> [[UInt8]] {
    let head = Array(datagram[..<13])
    let (message, body) = (Array(datagram[13..<25]), Array(datagram[25...]))
    return stride(from: 0, to: body.count, by: size).map { start in
        let part = Array(body[start..<min(start + size, body.count)])
        func three(_ number: Int) -> [UInt8] { [UInt8(number >> 16), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)] }
        let record = Array(message[..<6]) + three(start) + three(part.count) + part
        // The record's own number is its head's; each needs another.
        var number = head
        number[9] = UInt8((start / size) >> 8)
        number[10] = UInt8((start / size) & 0xff)
        number[11] = UInt8(record.count >> 8)
        number[12] = UInt8(record.count & 0xff)
        return number + record
    }
}

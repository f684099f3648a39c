import Glibc
import ICE
import Posix

/// Datagrams on their way out. Those that go to one place one after the other leave in one call of the kernel (UDP GSO), as far as they are
/// of one size, the last of them at most as large; nothing waits longer than until its owner has looked at all that it was called for.
///
/// The call costs more than all else of a packet: 2.4 us for one datagram, 1.0 us each of four, 0.67 us each of eight; `sendmmsg` to many
/// places gains nothing (measured; `Control/README.md`).
final class Outbox {
    /// One call: `bytes` are datagrams of `segment` bytes each, of which the last may be shorter; false where the kernel's buffer is full.
    typealias Send = (_ bytes: UnsafeRawBufferPointer, _ segment: Int, _ path: Path) throws -> Bool

    private let send: Send
    /// What waits, one behind the other.
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Outbox.most * Outbox.largest, alignment: 16)
    private var filled = 0
    private var waiting = 0
    /// Of what waits: where it goes, and how large the first is.
    private var path: Path?
    private var segment = 0
    /// Nothing may follow what waits.
    private var isClosed = false
    /// Where that is false each leaves alone: there is no such call, or nothing that it goes over can do it.
    private var joins = true
    private var hasJoined = false
    private var refusals = 0

    /// Since `takeCounts`.
    private var counts = Counts()

    struct Counts: Hashable {
        /// Datagrams that the kernel took.
        var sent = 0
        /// Those that it did not take: its buffer was full, or there was no way to where they go.
        var lost = 0
    }

    /// In one call: what leaves at once is a burst to whoever gets it, and a radio link loses bursts.
    static let most = 8
    /// What is larger leaves alone.
    static let largest = 2048
    /// So often in a row, before it was ever taken, and it is not tried again.
    private static let refusalLimit = 16
    /// A route of a smaller MTU, a device without checksums, an older kernel: each may go by itself.
    private static let refused: Set<CInt> = [EINVAL, EMSGSIZE, EIO, ENOPROTOOPT, EOPNOTSUPP]

    init(_ send: @escaping Send) { self.send = send }

    deinit { bytes.deallocate() }

    /// More comes: what goes to the place before may wait for it. What waits leaves where that ends.
    var isGathering = false {
        didSet { if !isGathering { flush() } }
    }

    func take(_ datagram: UnsafeRawBufferPointer, over path: Path) {
        if waiting > 0, isClosed || datagram.count > segment || self.path != path { flush() }
        guard datagram.count <= Self.largest else { return count(1, isSent: call(datagram, datagram.count, path)) }
        if waiting == 0 { (self.path, segment) = (path, datagram.count) }
        UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]).copyMemory(from: datagram)
        filled += datagram.count
        waiting += 1
        isClosed = datagram.count < segment || waiting == Self.most
        if !isGathering || !joins { flush() }
    }

    func flush() {
        guard waiting > 0, let path else { return }
        let run = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<filled])
        let number = waiting
        (filled, waiting, isClosed) = (0, 0, false)
        guard number > 1 else { return count(1, isSent: call(run, run.count, path)) }
        do {
            count(number, isSent: try send(run, segment, path))
            hasJoined = true
        } catch let error as SystemError where Self.refused.contains(error.code) {
            refuse(error.code)
            sendEach(run, over: path)
        } catch {
            // The place cannot be reached now: its peer will leave it, or it ends by itself.
            counts.lost += number
        }
    }

    private func refuse(_ code: CInt) {
        // Of another size or over another route it may be taken; without checksums or the option itself it never is.
        refusals += 1
        let mayBeTaken = code == EINVAL || code == EMSGSIZE
        if !mayBeTaken || !hasJoined && refusals >= Self.refusalLimit { joins = false }
    }

    private func sendEach(_ run: UnsafeRawBufferPointer, over path: Path) {
        for start in stride(from: 0, to: run.count, by: segment) {
            let datagram = UnsafeRawBufferPointer(rebasing: run[start..<min(start + segment, run.count)])
            count(1, isSent: call(datagram, datagram.count, path))
        }
    }

    private func call(_ datagram: UnsafeRawBufferPointer, _ segment: Int, _ path: Path) -> Bool {
        // try?: as above.
        (try? send(datagram, segment, path)) ?? false
    }

    private func count(_ number: Int, isSent: Bool) {
        if isSent { counts.sent += number } else { counts.lost += number }
    }

    func takeCounts() -> Counts {
        defer { counts = Counts() }
        return counts
    }
}

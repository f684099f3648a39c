import Glibc
import ICE
import Posix
import Testing

@testable import SFU

/// What leaves in one call, and what is told of it.
@Suite("An outbox")
struct OutboxTests {
    /// A socket that writes down what it is called for.
    private final class Recorder {
        struct Call: Equatable {
            let port: Int
            let sizes: [Int]
        }

        var calls: [Call] = []
        var bytes: [UInt8] = []
        /// What the next calls come to; true where there is nothing more.
        var answers: [Result<Bool, SystemError>] = []

        func send(_ datagrams: UnsafeRawBufferPointer, _ segment: Int, _ path: Path) throws -> Bool {
            var sizes = [Int](repeating: segment, count: datagrams.count / segment)
            if datagrams.count % segment > 0 { sizes.append(datagrams.count % segment) }
            calls.append(Call(port: path.remote.port, sizes: sizes))
            let answer = answers.isEmpty ? .success(true) : answers.removeFirst()
            if (try? answer.get()) == true { bytes += datagrams }
            return try answer.get()
        }
    }

    private func outbox(_ recorder: Recorder) -> Outbox { Outbox { try recorder.send($0, $1, $2) } }

    private func take(_ size: Int, to port: Int, _ outbox: Outbox, byte: UInt8 = 0, socket: UInt32 = 0) {
        let path = Path(socket: socket, remote: .loopback(port: port))
        [UInt8](repeating: byte, count: size).withUnsafeBytes { outbox.take($0, over: path) }
    }

    @Test("what goes to one place in a row and is of one size leaves in one call, the last as large at most, in its order")
    func joins() {
        let recorder = Recorder()
        let outbox = outbox(recorder)
        outbox.isGathering = true
        for (byte, size) in [1200, 1200, 1200, 1100, 1200, 300, 400].enumerated() { take(size, to: 1, outbox, byte: UInt8(byte)) }
        take(400, to: 2, outbox, byte: 7)
        take(400, to: 1, outbox, byte: 8)
        #expect(recorder.calls.map(\.sizes) == [[1200, 1200, 1200, 1100], [1200, 300], [400], [400]])
        outbox.isGathering = false
        #expect(recorder.calls.map(\.port) == [1, 1, 1, 2, 1])
        let expected = [(0, 1200), (1, 1200), (2, 1200), (3, 1100), (4, 1200), (5, 300), (6, 400), (7, 400), (8, 400)]
        #expect(recorder.bytes == expected.flatMap { [UInt8](repeating: UInt8($0.0), count: $0.1) })
        #expect(outbox.takeCounts() == Outbox.Counts(sent: 9, lost: 0))
        #expect(outbox.takeCounts() == Outbox.Counts())
    }

    @Test("eight leave at once and no more; what another socket sends, and what is larger than a place, leaves by itself")
    func bounds() {
        let recorder = Recorder()
        let outbox = outbox(recorder)
        outbox.isGathering = true
        for _ in 0..<20 { take(1000, to: 1, outbox) }
        take(1000, to: 1, outbox, socket: 1)
        take(Outbox.largest + 1, to: 1, outbox)
        outbox.isGathering = false
        #expect(recorder.calls.map(\.sizes.count) == [8, 8, 4, 1, 1])
        #expect(outbox.takeCounts().sent == 22)
    }

    @Test("where nothing more is to come each leaves at once")
    func alone() {
        let recorder = Recorder()
        let outbox = outbox(recorder)
        for number in 1...3 {
            take(1000, to: 1, outbox)
            #expect(recorder.calls.count == number)
        }
    }

    @Test("what finds no room in the kernel, or no way, counts as lost and not as sent")
    func lost() {
        let recorder = Recorder()
        let outbox = outbox(recorder)
        recorder.answers = [.success(false), .failure(SystemError("sendmsg", ENETUNREACH)), .success(false), .success(true)]
        outbox.isGathering = true
        for port in 1...2 { for _ in 0..<3 { take(1000, to: port, outbox) } }
        for port in 3...4 { take(1000, to: port, outbox) }
        outbox.isGathering = false
        #expect(recorder.calls.map(\.sizes.count) == [3, 3, 1, 1])
        #expect(outbox.takeCounts() == Outbox.Counts(sent: 1, lost: 7))
    }

    @Test("what a route does not take together goes one by one; where it never does, that is not tried for long", arguments: [EINVAL, EIO])
    func refused(code: CInt) {
        let recorder = Recorder()
        let outbox = outbox(recorder)
        outbox.isGathering = true
        for _ in 0..<40 {
            // Of two that leave alone it is the first.
            recorder.answers = [.failure(SystemError("sendmsg", code))]
            for _ in 0..<2 { take(1000, to: 1, outbox) }
            outbox.flush()
            recorder.answers = []
        }
        let together = recorder.calls.count { $0.sizes.count > 1 }
        #expect(together == (code == EIO ? 1 : 16))
        // Of a call that is refused nothing has left.
        let counts = outbox.takeCounts()
        #expect(counts.sent + counts.lost == 80 && counts.sent == (code == EIO ? 41 : 56))
    }
}

import CLab
import Foundation
import Glibc
import Posix

/// Sends a `NumberedStream` at a fixed rate or as fast as a controller says, until its input ends; then it tells what it sent.
struct StreamSource {
    struct Options {
        var target: SocketAddress
        /// Of the transport stream, bits/s; where a controller is followed, until that speaks.
        var rate: Double
        /// Where the controller's datagrams come to: JSON objects with `rate_bps`.
        var follow: SocketAddress?
        var ceiling = Double.infinity
        /// Frames in a second, each sent at once as encoders do; 0: datagrams at even distances.
        var frames = 30.0
    }

    struct Figures: Encodable {
        var packets: UInt64 = 0
        var sentByMade = StepCounts()
        /// Kbit/s.
        var rateByMade = StepCounts()
        /// Datagrams that the kernel did not take.
        var refused = 0
        var lateMaxMs = 0.0
    }

    private struct Word: Decodable {
        let rateBps: Double?

        enum CodingKeys: String, CodingKey {
            case rateBps = "rate_bps"
        }
    }

    private let options: Options
    private var rate: Double
    private var stream = NumberedStream()
    private var figures = Figures()
    private var credit = 0.0

    init(_ options: Options) {
        self.options = options
        rate = options.rate
    }

    mutating func run(_ input: inout LabInput) throws -> Figures {
        guard let any = SocketAddress(options.target.family == .ipv4 ? "0.0.0.0" : "::", port: 0) else { throw SystemError("bind", EINVAL) }
        let socket = try UDPSocket(binding: any, buffers: 4 << 20)
        let controller = try options.follow.map { try UDPSocket(binding: $0) }
        let batch = DatagramBatch(capacity: 64, size: 65_536)
        // Where it is not allowed its own lateness shows.
        _ = clab_real_time()
        var due = Instant.now.nanoseconds
        while true {
            switch input.next(beside: controller?.descriptor, until: due) {
            case .line, .end:
                figures.packets = stream.next
                return figures
            case .readable: if let controller { try listen(controller, batch) }
            case .timeout:
                figures.lateMaxMs = max(figures.lateMaxMs, Double(Instant.now.nanoseconds - due) / 1e6)
                due += try burst(socket)
            }
        }
    }

    /// The last word counts; what is none is somebody else's.
    private mutating func listen(_ controller: UDPSocket, _ batch: DatagramBatch) throws {
        for index in 0..<(try controller.receive(batch)) {
            guard let word = try? JSONDecoder().decode(Word.self, from: Data(batch[index])), let asked = word.rateBps, asked >= 0 else {
                continue
            }
            rate = min(asked, options.ceiling)
        }
    }

    /// - Returns: how long it is until the next one.
    private mutating func burst(_ socket: UDPSocket) throws -> Int64 {
        let bytes = Double(NumberedStream.datagramBytes)
        let now = Instant.now.nanoseconds
        figures.rateByMade.raise(to: Int(rate / 1000), at: now)
        let seconds = options.frames > 0 ? 1 / options.frames : min(0.1, bytes * 8 / max(rate, 1))
        credit += rate / 8 * seconds
        var startsFrame = true
        // A hair under: sums of fractions must not cost a datagram.
        while credit > bytes - 0.001 {
            credit -= bytes
            let now = Instant.now.nanoseconds
            let before = stream.next
            let datagram = stream.datagram(startsFrame: startsFrame, at: now)
            figures.sentByMade.add(Int(stream.next - before), at: now)
            if try !send(datagram, by: socket) { figures.refused += 1 }
            startsFrame = false
        }
        return Int64(seconds * 1e9)
    }

    /// A target that is not there yet says so by ICMP; that is no fault of the source.
    private func send(_ datagram: [UInt8], by socket: UDPSocket) throws -> Bool {
        do { return try socket.send(datagram, to: options.target) } catch let error as SystemError where error.code == ECONNREFUSED {
            return true
        }
    }
}

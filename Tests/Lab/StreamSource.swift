import CLab
import Foundation
import Glibc
import Posix

/// Sends a `NumberedStream` at a fixed rate, as fast as a controller says, or in the frames that an encoder tells it of, until its input
/// ends; then it tells what it sent.
struct StreamSource {
    struct Options {
        var target: SocketAddress
        /// Of the transport stream, bits/s; where a controller is followed, until that speaks.
        var rate: Double
        /// Where the controller's datagrams come to: JSON objects with `rate_bps`.
        var follow: SocketAddress?
        /// Where an encoder's datagrams come to, instead of a controller's: JSON objects with `frame_bytes` for each frame that it has
        /// made, and the `rate_bps` that it was asked for.
        var coded: SocketAddress?
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
        let frameBytes: Double?

        enum CodingKeys: String, CodingKey {
            case rateBps = "rate_bps"
            case frameBytes = "frame_bytes"
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
        let controller = try (options.coded ?? options.follow).map { try UDPSocket(binding: $0) }
        let batch = DatagramBatch(capacity: 64, size: 65_536)
        // Where it is not allowed its own lateness shows.
        _ = clab_real_time()
        var due = options.coded == nil ? Instant.now.nanoseconds : .max
        while true {
            switch input.next(beside: controller?.descriptor, until: due) {
            case .line, .end:
                figures.packets = stream.next
                return figures
            case .readable: if let controller { try listen(controller, batch, socket) }
            case .timeout:
                figures.lateMaxMs = max(figures.lateMaxMs, Double(Instant.now.nanoseconds - due) / 1e6)
                due += try burst(socket)
            }
        }
    }

    /// The last word counts; what is none is somebody else's.
    private mutating func listen(_ controller: UDPSocket, _ batch: DatagramBatch, _ socket: UDPSocket) throws {
        for index in 0..<(try controller.receive(batch)) {
            guard let word = try? JSONDecoder().decode(Word.self, from: Data(batch[index])), let asked = word.rateBps, asked >= 0 else {
                continue
            }
            rate = min(asked, options.ceiling)
            guard options.coded != nil, let frame = word.frameBytes, (0...1e8).contains(frame) else { continue }
            figures.rateByMade.raise(to: Int(rate / 1000), at: Instant.now.nanoseconds)
            credit += frame
            try sendCredit(by: socket)
        }
    }

    /// - Returns: how long it is until the next one.
    private mutating func burst(_ socket: UDPSocket) throws -> Int64 {
        figures.rateByMade.raise(to: Int(rate / 1000), at: Instant.now.nanoseconds)
        let seconds = options.frames > 0 ? 1 / options.frames : min(0.1, Double(NumberedStream.datagramBytes) * 8 / max(rate, 1))
        credit += rate / 8 * seconds
        try sendCredit(by: socket)
        return Int64(seconds * 1e9)
    }

    /// Sends the datagrams that are full; what is over comes with the next frame.
    private mutating func sendCredit(by socket: UDPSocket) throws {
        let bytes = Double(NumberedStream.datagramBytes)
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
    }

    /// A target that is not there yet says so by ICMP; that is no fault of the source.
    private func send(_ datagram: [UInt8], by socket: UDPSocket) throws -> Bool {
        do { return try socket.send(datagram, to: options.target) } catch let error as SystemError where error.code == ECONNREFUSED {
            return true
        }
    }
}

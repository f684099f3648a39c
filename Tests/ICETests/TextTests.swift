import ICE
import Posix
import Testing

@Suite struct CandidateTests {
    @Test("each address has a line over UDP and one over TCP, in which it waits; UDP is liked more, and the first address most")
    func lines() throws {
        let addresses = [try #require(SocketAddress("192.0.2.9", port: 40000)), try #require(SocketAddress("2001:db8::9", port: 40000))]
        // 126 * 2^24 + 65535 * 2^8 + 255; 90 * 2^24 + (4 * 2^13 + 8191) * 2^8 + 255.
        #expect(
            Candidate.announced(addresses, tcp: .udpAndTCP) == [
                "candidate:1 1 udp 2130706431 192.0.2.9 40000 typ host",
                "candidate:2 1 udp 2130706175 2001:db8::9 40000 typ host",
                "candidate:3 1 tcp 1520435199 192.0.2.9 40000 typ host tcptype passive",
                "candidate:4 1 tcp 1520434943 2001:db8::9 40000 typ host tcptype passive",
            ])
        #expect(Candidate.announced(addresses, tcp: .udpOnly).count == 2 && Candidate.announced([], tcp: .udpAndTCP) == [])
    }
}

@Suite struct StreamFramesTests {
    private func frames(_ pieces: [[UInt8]], limit: Int = 2048) -> (frames: [[UInt8]], isGood: Bool, held: Int) {
        var reader = StreamFrames(limit: limit)
        var found: [[UInt8]] = []
        var isGood = true
        for piece in pieces {
            isGood = reader.take(piece) { frame in
                var bytes: [UInt8] = []
                for index in 0..<frame.count { bytes.append(frame[index]) }
                found.append(bytes)
            }
        }
        return (found, isGood, reader.heldBytes)
    }

    @Test("datagrams come out of a stream as they went in, wherever it is cut")
    func cuts() {
        let datagrams: [[UInt8]] = [[1], [2, 3, 4], [UInt8](repeating: 5, count: 300), [6, 7]]
        let stream = datagrams.flatMap { StreamFrames.head(of: $0.count)! + $0 }
        #expect(frames([stream]).frames == datagrams)
        #expect(frames(stream.map { [$0] }).frames == datagrams)
        for first in 0...stream.count {
            for second in stride(from: first, through: stream.count, by: 5) {
                let read = frames([Array(stream[..<first]), Array(stream[first..<second]), Array(stream[second...])])
                #expect(read.frames == datagrams && read.isGood && read.held == 0)
            }
        }
    }

    @Test("empty datagrams keep a connection open and are nothing")
    func empty() {
        #expect(frames([[0, 0, 0, 0, 0, 1, 9, 0], [0, 0], [0, 0, 1, 8]]).frames == [[9], [8]])
    }

    @Test("a datagram of the limit is taken, a longer one ends the connection, and nothing behind it is taken")
    func limit() {
        let most = [0, 8] + [UInt8](repeating: 1, count: 8)
        #expect(frames([most], limit: 8).frames.count == 1)
        for pieces in [[[0, 9]], [[0], [9]], [[0, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1]], [most + [0, 9], most]] as [[[UInt8]]] {
            let read = frames(pieces, limit: 8)
            #expect(!read.isGood && read.held == 0 && read.frames.count == (pieces.count == 2 && pieces[0].count > 1 ? 1 : 0))
        }
        var reader = StreamFrames(limit: 8)
        var isGood = reader.take([0xff, 0xff]) { _ in }
        #expect(!isGood && reader.isBroken)
        isGood = reader.take([0, 1, 1]) { _ in Issue.record("a datagram of a broken stream") }
        #expect(!isGood)
    }

    @Test("what is held back is never more than one datagram and its head")
    func held() {
        var reader = StreamFrames(limit: 100)
        let stream = (0..<50).flatMap { _ in [0, 100] + [UInt8](repeating: 0xff, count: 100) }
        var (most, count, start) = (0, 0, 0)
        var step = 0
        while start < stream.count {
            step += 1
            let end = min(stream.count, start + step % 13)
            let isGood = reader.take(Array(stream[start..<end])) { _ in count += 1 }
            #expect(isGood)
            most = max(most, reader.heldBytes)
            start = end
        }
        #expect((90...102).contains(most) && count == 50 && reader.heldBytes == 0)
    }

    @Test("a head counts up to 65,535")
    func heads() {
        #expect(StreamFrames.head(of: 65535) == [255, 255] && StreamFrames.head(of: 65536) == nil && StreamFrames.head(of: -1) == nil)
    }
}

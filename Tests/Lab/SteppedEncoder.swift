import Foundation

/// A program with an encoder in it, stepped frame by frame: it reads the bits per second that the next frame is asked for, a line, and
/// answers with the bytes that the frame took in a transport stream, a line. So a real encoder runs in simulated time.
package final class SteppedEncoder: @unchecked Sendable {
    private let process = Process()
    private let asks = Pipe()
    private let answers = Pipe()
    private var text = Data()

    package init(_ words: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardInput = asks
        process.standardOutput = answers
        try process.run()
    }

    deinit {
        try? asks.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// - Parameter rate: of the transport stream, bits/s.
    /// - Returns: bytes of the transport stream.
    func frame(_ rate: Double) -> Double {
        asks.fileHandleForWriting.write(Data("\(Int(rate))\n".utf8))
        while true {
            if let end = text.firstIndex(of: 10) {
                defer { text = text[(end + 1)...] }
                guard let bytes = Double(String(decoding: text[..<end], as: UTF8.self)) else { break }
                return bytes
            }
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else { break }
            text += more
        }
        // Its own words are on stderr; a simulation without its encoder measures nothing.
        fatalError("the encoder has ended")
    }
}

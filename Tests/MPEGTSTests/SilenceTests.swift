import Foundation
import Testing
import Units

@testable import MPEGTS

struct SilenceTests {
    /// The decoder's word: ffmpeg's, on a file of a second of it.
    @Test("a second of silence in each format is what it says, decodes without a complaint, and is silent", arguments: 1...7)
    func decodes(_ channels: Int) throws {
        for (index, rate) in [(3, 48000), (4, 44100), (8, 16000)] {
            let format = AudioFormat(objectType: 2, rateIndex: UInt8(index), sampleRate: rate, channels: UInt8(channels))
            let frame = format.silence
            let header = try #require(ADTSHeader(frame, at: 0))
            #expect(header.format == format && header.frameLength == frame.count && frame.count < 40)
            let path = NSTemporaryDirectory() + "silence-\(UUID().uuidString).aac"
            try Data((0..<rate / 1024).flatMap { _ in frame }).write(to: URL(fileURLWithPath: path))
            defer { try? FileManager.default.removeItem(atPath: path) }
            let (sound, complaints) = try decode(path)
            #expect(complaints.isEmpty, "\(complaints)")
            #expect(sound.count >= (rate / 1024 - 1) * 1024 * 2 * (channels == 7 ? 8 : channels) && sound.allSatisfy { $0 == 0 })
        }
    }

    private func decode(_ path: String) throws -> (Data, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/ffmpeg")
        process.arguments = ["-v", "error", "-i", path, "-f", "s16le", "-"]
        let (output, errors) = (Pipe(), Pipe())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let sound = try output.fileHandleForReading.readToEnd() ?? Data()
        let text = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (sound, String(decoding: text, as: UTF8.self))
    }
}

struct TransportWriterTests {
    @Test("what is written is read again: bytes, times over the end of 33 bits, order, and no packet missing")
    func roundTrip() throws {
        let program = Program(
            tablePID: 0x1000, clockPID: 0x100,
            streams: [.init(pid: 0x100, coding: .h264), .init(pid: 0x101, coding: .aac)])
        var tables = StreamWriter()
        tables.tables()
        let format = AudioFormat(objectType: 2, rateIndex: 3, sampleRate: 48000, channels: 2)
        let start = Timestamp.modulus - 45_000
        for size in [1, 100, 157, 158, 159, 160, 161, 170, 183, 184, 185, 5000] {
            var writer = TransportWriter(program: program)
            writer.write(tables: tables.bytes)
            let key: [UInt8] = [0, 0, 0, 1] + StreamWriter.sps + [0, 0, 0, 1] + StreamWriter.pps + [0, 0, 1, 0x65]
            for index in 0..<30 {
                let time = MediaTime(ticks: start + Int64(index) * 3600)
                writer.write(
                    picture: (index == 0 ? key : [0, 0, 1, 0x41]) + [UInt8](repeating: 0x55, count: size),
                    presentation: MediaTime(ticks: time.ticks + 7200), decode: time, isKey: index == 0,
                    clock: MediaTime(ticks: time.ticks - 9000))
                writer.write(sound: format.silence, presentation: time)
            }
            let collected = Collected.reading(writer.packets)
            #expect(collected.videos.count == 30 && collected.sounds.count == 30 && writer.packets.count % 188 == 0)
            #expect(collected.videos.map(\.decode.ticks) == (0..<30).map { start + Int64($0) * 3600 })
            #expect(collected.videos.allSatisfy { $0.presentation.ticks == $0.decode.ticks + 7200 && !$0.isDamaged })
            #expect(collected.videos[1].bytes.count == 4 + size && collected.videos[0].isKey && collected.videos[0].hasParameters)
            #expect(collected.sounds.allSatisfy { $0.format == format })
        }
    }
}

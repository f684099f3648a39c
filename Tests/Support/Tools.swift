package import Foundation

/// What a tool has answered.
package struct ToolAnswer: Sendable {
    package let status: Int32
    package let output: Data
    package let errors: String

    package var text: String { String(decoding: output, as: UTF8.self) }
}

/// Runs a tool to its end.
/// - Throws: `SupportFailure` with what it said where it exits with anything but 0, unless that may be.
package func runTool(_ name: String, _ arguments: [String], mayFail: Bool = false) async throws -> ToolAnswer {
    let answer = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<ToolAnswer, any Error>) in
        Thread { continuation.resume(with: Result { try runAndWait(name, arguments) }) }.start()
    }
    guard mayFail || answer.status == 0 else {
        throw SupportFailure("\(name) \(arguments.joined(separator: " ")): \(answer.status)\n\(answer.errors.suffix(2000))")
    }
    return answer
}

private func runAndWait(_ name: String, _ arguments: [String]) throws -> ToolAnswer {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    // Errors go to a file: two pipes read one after the other could block.
    let errors = URL(fileURLWithPath: "/tmp/st-errors-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: errors) }
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return ToolAnswer(
        status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus, output: data,
        errors: (try? String(contentsOf: errors, encoding: .utf8)) ?? "")
}

/// What ffprobe says about a file.
package struct Probe: Decodable, Sendable {
    package struct Stream: Decodable, Sendable {
        package let codecName: String?
        package let codecType: String
        package let profile: String?
        package let width: Int?
        package let height: Int?
        package let avgFrameRate: String?
        package let sampleRate: String?
        package let channels: Int?
        package let nbReadPackets: String?
    }

    package struct Format: Decodable, Sendable {
        package let formatName: String
        package let duration: String?
    }

    package let streams: [Stream]
    package let format: Format

    package var video: Stream? { streams.first { $0.codecType == "video" } }
    package var audio: Stream? { streams.first { $0.codecType == "audio" } }
    package var seconds: Double { format.duration.flatMap(Double.init) ?? 0 }

    /// - Parameter counting: reads the whole file and counts its packets.
    package init(_ path: String, counting: Bool = false) async throws {
        let count = counting ? ["-count_packets"] : []
        let answer = try await runTool("ffprobe", ["-v", "error", "-of", "json", "-show_streams", "-show_format"] + count + [path])
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Probe.self, from: answer.output)
    }
}

/// Decodes the whole file and gives what the decoder complained about: empty for a good one.
package func decodingErrors(_ path: String) async throws -> String {
    try await runTool("ffmpeg", ["-v", "error", "-xerror", "-i", path, "-f", "null", "-"], mayFail: true).errors
}

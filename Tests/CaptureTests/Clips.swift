import Foundation
import Inputs
import Posix
import Testing

/// Small media files, made once for the whole run.
enum Clips {
    private static let scratch = Scratch()

    enum Kind: String, CaseIterable, Sendable {
        case mp4, mkv, ts, silentMP4, mp3, wav, hush, stillMP4, blackMP4

        var container: Clip.Container {
            switch self {
            case .mp4, .silentMP4, .stillMP4, .blackMP4: .mp4
            case .mkv: .mkv
            case .ts: .ts
            case .mp3: .mp3
            case .wav, .hush: .wav
            }
        }

        fileprivate var arguments: [String] {
            let picture = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=30:duration=1.5"]
            let tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=1.5"]
            let h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-bf", "2", "-pix_fmt", "yuv420p"]
            return switch self {
            case .mp4, .mkv, .ts: picture + tone + h264 + ["-c:a", "aac"]
            case .silentMP4: picture + h264
            case .mp3: tone + ["-c:a", "libmp3lame"]
            case .wav: tone
            case .hush: ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo", "-t", "1.5"]
            case .stillMP4:
                ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=30:duration=1.5", "-vf", "select=eq(n\\,0),loop=45:1:0,fps=30"] + h264
            case .blackMP4: ["-f", "lavfi", "-i", "color=black:size=320x180:rate=30:duration=1.5"] + h264
            }
        }
    }

    static func make(_ kind: Kind) async throws -> OpenInput { try await makeFile(kind).input }

    static func makeFile(_ kind: Kind) async throws -> (input: OpenInput, path: String) {
        let path = "\(scratch.path)/\(kind.rawValue)-\(UUID().uuidString).\(kind.container.rawValue)"
        let result = try await run("ffmpeg", ["-v", "error", "-y"] + kind.arguments + [path])
        #expect(result.status == 0, "\(result.errors)")
        return (try open(path, kind.container), path)
    }

    static func open(_ path: String, _ container: Clip.Container) throws -> OpenInput {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        return .clip(Clip(id: "file:\(path)", container: container, descriptor: Descriptor(adopting: descriptor)))
    }
}

import Posix
import Wire

/// Has pictures made of key frames by a process that lives for one of them and may do nothing else (`strata-still`).
struct ThumbnailMaker: Sendable {
    /// Path of `strata-still`.
    let program: String

    var limit: Duration = .seconds(4)

    struct Made: Sendable {
        /// nil where there is none: `fault` says why.
        var thumbnail: Thumbnail?
        var fault: String?
        /// Processor time of the process.
        var cost: Duration
    }

    func make(of key: KeyFrame, on loop: Loop) async -> Made {
        do {
            let run = try await PictureProcess.run(
                program, [key.coding.rawValue], input: key.bytes, output: WireLimits.thumbnailBytes, within: limit, on: loop)
            guard run.status.isSuccess else { return Made(fault: "its process ended with \(run.status)", cost: run.cost) }
            let thumbnail = Thumbnail(run.output)
            return Made(thumbnail: thumbnail, fault: thumbnail == nil ? "what was made is no small JPEG file" : nil, cost: run.cost)
        } catch {
            return Made(fault: "\(error)", cost: .zero)
        }
    }
}

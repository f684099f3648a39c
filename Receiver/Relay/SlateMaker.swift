import MPEGTS
import Posix
import Wire

/// Has a slate encoded by a process that lives for it and may do nothing else (`strata-slate`).
struct SlateMaker: Sendable {
    /// Path of `strata-slate`.
    let program: String

    /// 2 s are usual for 1080p on a busy core. From its start on: what waits for its turn has no process.
    var limit: Duration = .seconds(30)

    enum Fault: Error, Equatable, CustomStringConvertible {
        case picture
        case encoder(SlateFormat)
        case ended(ExitStatus)
        case noSlate(bytes: Int)

        /// Another try ends the same: it is the picture, and not the host at this moment.
        var isLasting: Bool { self == .picture }

        var description: String {
            switch self {
            case .picture: "no decoder takes the picture, or it is not what its head says"
            case .encoder(let format): "no encoder takes \(format.coding.rawValue) of \(format.size.width)x\(format.size.height)"
            case .ended(let status): "the process that encodes it ended with \(status)"
            case .noSlate(let bytes): "what was encoded, \(bytes) bytes, is not one group of pictures"
            }
        }
    }

    /// - Parameter picture: nil: one of ours.
    /// - Throws: `Fault`, or a `SystemError` where no process can be started.
    func make(_ format: SlateFormat, _ picture: OwnPicture?, on loop: Loop) async throws -> Slate {
        let run = try await PictureProcess.run(
            program, format.words, input: picture?.bytes ?? [], output: Slate.bytes, within: limit, on: loop)
        // The numbers are those of `SlateEncoder.Fault`, which stands in a module that the receiver is not made of.
        switch run.status {
        case .exited(code: 0): break
        case .exited(code: 1): throw Fault.picture
        case .exited(code: 2): throw Fault.encoder(format)
        default: throw Fault.ended(run.status)
        }
        guard let slate = Slate(format: format, coded: run.output) else { throw Fault.noSlate(bytes: run.output.count) }
        return slate
    }
}

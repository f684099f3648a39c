import Forwarding
package import Frames
import GStreamer
import Glibc
package import Posix
import Synchrony
package import TrackSpool

/// Makes files that can be played of what was recorded of a room: as often as anybody likes, each time the same.
///
/// A file is there whole or not at all; the logs are only read.
package struct TakeMuxer: Sendable {
    private let folder: TakeFolder
    private let target: String
    private let loop: Loop

    /// What was made.
    package struct Product: Sendable, Hashable {
        package var path: String
        package var container: MuxPlan.Container
        /// Of its first frame, Unix milliseconds.
        package var beganAtMs: Int64
        package var durationMs: Int
        package var pictures: Int
        package var sounds: Int
        /// Pictures that were left out: they were damaged, or made of one that was.
        package var droppedPictures: Int
        /// Bytes of the logs that are no records, and entries that no disk took.
        package var damagedBytes: Int
        package var lostEntries: Int
        /// Where a player jumps over time in which there is nothing.
        package var skips: [FileLine.Skip]
    }

    /// - Parameters:
    ///   - target: a folder that is there, for the files.
    ///   - loop: a thread that may wait for disks, for as long as this takes.
    package init(_ folder: TakeFolder, into target: String, loop: Loop) {
        self.folder = folder
        self.target = target
        self.loop = loop
    }

    /// One of `MuxPlan.all`. Where its file is there it is made anew, and takes its place.
    package func make(_ plan: MuxPlan) async throws(MuxFault) -> Product {
        let found = try await look(plan)
        let path = "\(target)/\(plan.name)"
        let part = "\(path).part"
        let pipeline: MuxPipeline
        do throws(GStreamerError) {
            pipeline = try MuxPipeline(
                plan.container, found.hasPicture ? plan.picture?.head.codec : nil, size: found.size, hasSound: found.hasSound, into: part)
            try await pipeline.start()
        } catch {
            throw MuxFault(error)
        }
        async let ended = pipeline.ended()
        let fed: Result<Product, MuxFault> = await onLoop { Self.feed(plan, found, pipeline) }
        pipeline.finish()
        let reason = await ended
        do throws(MuxFault) {
            var product = try fed.get()
            if let reason { throw .pipeline(reason) }
            try Self.finish(part, path, in: target)
            product.path = path
            return product
        } catch {
            // What is half a file is none; where it cannot be removed the next attempt writes over it.
            _ = unlink(part)
            throw error
        }
    }

    private static func finish(_ part: String, _ path: String, in target: String) throws(MuxFault) {
        do throws(SystemError) {
            try FileTree.sync(part)
            try FileTree.rename(part, to: path)
            try FileTree.sync(target)
        } catch {
            throw .disk(error)
        }
    }

    // MARK: On the loop

    /// What there is of a plan, before anything of it is written.
    private struct Found: Sendable {
        var timelines: [Survey.Source: SourceTimeline]
        var hasPicture = false
        var hasSound = false
        var size: MuxPipeline.Size?
    }

    private func onLoop<Value: Sendable>(_ work: @escaping @Sendable () -> Result<Value, MuxFault>) async -> Result<Value, MuxFault> {
        await withCheckedContinuation { continuation in loop.submit { continuation.resume(returning: work()) } }
    }

    private func look(_ plan: MuxPlan) async throws(MuxFault) -> Found {
        for track in [plan.picture, plan.sound].compactMap({ $0 }) where !FrameAssembler.codecs.contains(track.head.codec) {
            throw .codec("\(track.head.codec)")
        }
        let found: Result<Found, MuxFault> = await onLoop {
            do throws(SystemError) {
                var contents = Found(timelines: try TakeTrack.timelines(of: plan.company))
                if let picture = plan.picture, let first = try TrackFrames(picture, contents.timelines).next() {
                    contents.hasPicture = true
                    contents.size = MuxPipeline.Size(first.frame.bytes)
                }
                if let sound = plan.sound { contents.hasSound = try TrackFrames(sound, contents.timelines).next() != nil }
                return .success(contents)
            } catch {
                return .failure(.disk(error))
            }
        }
        let result = try found.get()
        guard result.hasPicture || result.hasSound else { throw .empty }
        return result
    }

    private static func feed(_ plan: MuxPlan, _ found: Found, _ pipeline: MuxPipeline) -> Result<Product, MuxFault> {
        let pictures = found.hasPicture ? plan.picture.map { TrackFrames($0, found.timelines) } : nil
        let sounds = found.hasSound ? plan.sound.map { TrackFrames($0, found.timelines) } : nil
        var writing = Writing(pipeline: pipeline, line: FileLine(hasSound: found.hasSound))
        do throws(SystemError) {
            var (picture, sound) = (try pictures?.next(), try sounds?.next())
            while picture != nil || sound != nil {
                // Whichever is first: a muxer waits for both.
                if let next = picture, next.time <= sound?.time ?? .max {
                    guard writing.picture(next) else { break }
                    picture = try pictures?.next()
                    if picture == nil { pipeline.endPictures() }
                } else if let next = sound {
                    guard writing.sound(next) else { break }
                    sound = try sounds?.next()
                }
            }
        } catch {
            return .failure(.disk(error))
        }
        writing.finish()
        guard let head = (plan.picture ?? plan.sound)?.head else { return .failure(.empty) }
        let zero = writing.line.zero ?? head.at
        return .success(
            Product(
                path: "", container: plan.container, beganAtMs: head.unixMs + (zero - head.at) / 1000,
                durationMs: Int(writing.line.length / 1000), pictures: writing.pictures, sounds: writing.sounds,
                droppedPictures: pictures?.dropped ?? 0, damagedBytes: (pictures?.damaged ?? 0) + (sounds?.damaged ?? 0),
                lostEntries: (pictures?.lost ?? 0) + (sounds?.lost ?? 0), skips: writing.line.skips))
    }

    /// A file as it grows.
    private struct Writing {
        let pipeline: MuxPipeline
        var line: FileLine
        var pictures = 0
        var sounds = 0

        /// - Returns: false where the pipeline has ended.
        mutating func picture(_ next: TrackFrames.Timed) -> Bool {
            let placed = line.picture(at: next.time)
            pictures += 1
            return silence(placed.silences) && pipeline.picture(next.frame.bytes, at: placed.time, isKey: next.frame.isKey)
        }

        mutating func sound(_ next: TrackFrames.Timed) -> Bool {
            let placed = line.sound(at: next.time, duration: OpusPacket.duration(next.frame.bytes) ?? 0)
            sounds += 1
            return silence(placed.silences) && pipeline.sound(next.frame.bytes, at: placed.time)
        }

        mutating func finish() {
            let silences = line.finish()
            _ = silence(silences)
        }

        private func silence(_ times: [Int64]) -> Bool {
            times.allSatisfy { pipeline.sound(OpusPacket.silence, at: $0) }
        }
    }
}

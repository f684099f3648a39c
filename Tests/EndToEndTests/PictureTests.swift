import Lab
import Support
import Testing
import Units
import Wire

/// What is seen and heard at the far end.
@Suite(.serialized, .unlessStolen)
struct PictureTests {
    @Test("a file of the media folder is broadcast in a loop whose timestamps go on", .row("SND-05", "SND-08"))
    func clipLoops() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let clip = try await studio.clip(of: sender.id)
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(
                StartRequest(
                    sender: sender.id, destinations: [platform], input: InputChoice(video: clip),
                    encoder: EncoderChoice(bitrate: .kilobits(2000), width: 960, height: 540, frameRate: 25)))
            try await studio.owner.wait(id, for: ["live"])
            // 5.3 s each: the end of the file is passed twice.
            let file = try await studio.record("show", seconds: 12)
            try await studio.stop(id)
            let units = try Recording.accessUnits(file)
            let pace = Pace(units)
            let sounds = units.filter { $0.kind == .audio }.map(\.ptsTicks)
            let steps = zip(sounds, sounds.dropFirst()).map { ($1 - $0) / 90 }
            print("PictureTests: the clip in a loop: \(pace); sound \(steps.min() ?? 0) to \(steps.max() ?? 0) ms apart")
            // Pictures come each 40 ms and FLV counts whole milliseconds; one picture may be held or dropped at the turn.
            #expect(pace.shortestMs > 0 && pace.longestMs <= 81, "\(pace)")
            // 1024 samples at 48 kHz are 21.3 ms.
            #expect(steps.allSatisfy { (21...22).contains($0) })
            for delivery in try studio.deliveries(file) {
                print("PictureTests: \(delivery)")
                #expect(delivery.isComplete, "\(delivery)")
            }
            #expect(try await decodingErrors(file) == "")
        }
    }

    @Test("flash and beep of the test input arrive within 40 ms of each other", .row("SND-08"))
    func flashAndBeep() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            let file = try await studio.record("show", seconds: 6)
            try await studio.stop(id)
            let measured = try await FlashAndBeep(recording: file)
            print("PictureTests: \(measured)")
            #expect(measured.offsetsMs.count >= 5 && measured.offsetsMs.count >= measured.flashes - 1)
            #expect(measured.worstMs <= 40)
        }
    }

    @Test("the sound of a board's own sound card, picked by its name, is what is heard", .row("SND-08"))
    func soundCard() async throws {
        try await unlessVoid { run in
            try await inStudio { studio in
                let network = studio.network
                run.judge { network.lateness }
                // ALSA's `file` device stands for the card, as this machine has none: all but the driver is as on a board.
                let card = try SoundCard(on: studio.stage, inside: studio.field)
                try card.play(on: studio.stage)
                let sender = try await studio.secondSender("mixer", inside: card.inside)
                let input = try need(sender.inventory.inputs.first { $0.name == SoundCard.name }, "\(sender.inventory.inputs)")
                try need(input.id == SoundCard.id && input.kind == .alsa && input.media == .audio && input.modes.isEmpty, "\(input)")
                let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
                let id = try await studio.start(
                    StartRequest(
                        sender: sender.id, destinations: [platform], input: InputChoice(video: "test", audio: input.id),
                        encoder: Studio.small))
                try await studio.owner.wait(id, for: ["live"])
                let file = try await studio.record("show", seconds: 4)
                try need(try studio.owner.broadcast(id)?.state == "live")
                try await studio.stop(id)
                let tone = try await Tone(recording: file)
                let heard = tone.heard(SoundCard.toneHz)
                print("PictureTests: \(SoundCard.toneHz) Hz in \(heard.windows) of \(heard.of) windows of 100 ms: \(tone)")
                try need(heard.windows >= 30 && heard.windows >= heard.of - 2, "\(heard)")
            }
        }
    }
}

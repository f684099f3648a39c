import GStreamer
import Inputs
import Wire

/// Which pipeline an input has, and the values that are set on it.
enum FeedText {
    static func text(_ input: OpenInput, _ part: Feed.Part, _ choice: EncoderChoice) -> PipelineText {
        switch input {
        case .test: pick(part, SourceText.testPicture, SourceText.testSound)
        case .camera(let camera): self.camera(camera, choice)
        case .microphone: SourceText.microphone
        case .clip(let clip): self.clip(clip, part)
        }
    }

    /// The element that gets the input's pictures as they come, before they are given the broadcast's rate.
    static func ownPictures(_ input: OpenInput) -> StaticString {
        switch input {
        // It is made at that rate.
        case .test: "video"
        case .camera, .microphone, .clip: "rate"
        }
    }

    private static func camera(_ camera: Camera, _ choice: EncoderChoice) -> PipelineText {
        CameraMode.choose(camera.modes, for: choice)?.format == "MJPG" ? SourceText.jpegCamera : SourceText.rawCamera
    }

    private static func clip(_ clip: Clip, _ part: Feed.Part) -> PipelineText {
        switch clip.container {
        case .mp4, .mov: SourceText.mp4 + pick(part, SourceText.fileVideo, SourceText.fileAudio)
        case .mkv: SourceText.matroska + pick(part, SourceText.fileVideo, SourceText.fileAudio)
        case .ts: SourceText.transportStream + pick(part, SourceText.fileVideo, SourceText.fileAudio)
        case .mp3: SourceText.mp3
        case .wav: SourceText.wave
        }
    }

    private static func pick(_ part: Feed.Part, _ picture: PipelineText, _ sound: PipelineText) -> PipelineText {
        switch part {
        case .picture: picture
        case .sound: sound
        case .both: picture + sound
        }
    }

    static func configure(_ pipeline: Pipeline, _ input: OpenInput, _ part: Feed.Part, _ settings: EncoderSettings) throws(GStreamerError) {
        if part != .sound { try pipeline.set("picture", "caps", .caps(settings.rawPicture)) }
        if part != .picture { try pipeline.set("sound", "caps", .caps(EncoderSettings.rawSound)) }
        switch input {
        case .test:
            guard part != .sound else { return }
            let picture = TestPicture(width: settings.choice.width, height: settings.choice.height, frameRate: settings.choice.frameRate)
            try pipeline.editBuffers("draw", pad: "sink") { bytes, sample in
                if let time = sample.pts { picture.paint(bytes, at: time) }
            }
        case .camera(let camera):
            try pipeline.set("camera", "device", .text(camera.path))
            if let mode = CameraMode.choose(camera.modes, for: settings.choice) {
                try pipeline.set("mode", "caps", .caps(CameraMode.caps(mode)))
            }
        case .microphone(let microphone): try pipeline.set("microphone", "device", .text(microphone.device))
        case .clip(let clip): try pipeline.set("file", "location", .text(clip.path))
        }
    }
}

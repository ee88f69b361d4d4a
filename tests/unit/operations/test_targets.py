import pytest

from shared.domain.interaction import OPERATIONS
from shared.operations.api import Target
from shared.operations.operation_names import operation_of_id
from shared.operations.targets import host_of, target_of, without_secrets
from shared.operations.vendors import APIS

# Path's end, operation, and the ids that the specification's versions give it.
APPENDIX = [
    ("/deployments/d/chat/completions", "chat.completions", "ChatCompletions_Create createChatCompletion"),
    ("/deployments/d/extensions/chat/completions", "chat.completions", "ExtensionsChatCompletions_Create"),
    ("/chat/completions", "chat.completions", "createChatCompletion getChatCompletions post-chat-completions-1"),
    ("/chat/completions/chatcmpl-1", "chat.completions", ""),
    ("/chat/completions/chatcmpl-1/messages", "chat.completions", ""),
    ("/models/chat/completions", "chat.completions", "getChatCompletions"),
    ("/deployments/d/completions", "completions", "Completions_Create createCompletion"),
    ("/deployments/d/embeddings", "embeddings", "embeddings_create Embeddings_Create createEmbedding getEmbeddings"),
    ("/models/embeddings", "embeddings", ""),
    ("/deployments/d/audio/transcriptions", "audio.transcriptions", "Transcriptions_Create createTranscription"),
    ("/deployments/d/audio/translations", "audio.translations", "Translations_Create createTranslation"),
    ("/deployments/d/audio/speech", "audio.speech", "Speech_Create createSpeech"),
    ("/deployments/d/images/generations", "images.generations", "ImageGenerations_Create createImage"),
    ("/images/generations:submit", "images.generations", "BeginAzureBatchImageGeneration"),
    (
        "/operations/images/1",
        "images.generations",
        "get-a-generated-image-result GetAzureBatchImageGenerationOperationStatus",
    ),
    ("/deployments/d/images/edits", "images.edits", "ImageEdits_Create createImageEdit images_edit"),
    ("/images/variations", "images.variations", "createImageVariation"),
    ("/responses", "responses", "Create_Response createResponse"),
    ("/responses/resp_1", "responses", "Get_Response Delete_Response getResponse deleteResponse"),
    ("/responses/resp_1/input_items", "responses", "Get_Input_Items listInputItems"),
    ("/responses/resp_1/cancel", "responses", "cancelResponse"),
    ("/responses/compact", "responses", ""),
    ("/responses/input_tokens", "responses", "Getinputtokencounts"),
    ("/assistants", "assistants", "List_Assistants Create_Assistant"),
    ("/assistants/asst_1", "assistants", "Get_Assistant Modify_Assistant Delete_Assistant"),
    ("/threads", "threads", "Create_Thread"),
    ("/threads/thread_1", "threads", "Get_Thread Modify_Thread Delete_Thread"),
    ("/threads/thread_1/messages", "threads.messages", "List_Messages Create_Message"),
    ("/threads/thread_1/messages/msg_1", "threads.messages", "Get_Message Modify_Message"),
    ("/threads/runs", "threads.runs", "Create_Thread_And_Run"),
    ("/threads/thread_1/runs", "threads.runs", "List_Runs Create_Run"),
    ("/threads/thread_1/runs/run_1", "threads.runs", "Get_Run Modify_Run"),
    ("/threads/thread_1/runs/run_1/cancel", "threads.runs", "Cancel_Run"),
    ("/threads/thread_1/runs/run_1/submit_tool_outputs", "threads.runs", "Submit_Tool_Outputs_To_Run"),
    ("/threads/thread_1/runs/run_1/steps", "threads.runs.steps", "List_Run_Steps"),
    ("/threads/thread_1/runs/run_1/steps/step_1", "threads.runs.steps", "Get_Run_Step"),
    (
        "/vector_stores",
        "vector_stores",
        "List_Vector_Stores Create_Vector_Store listVectorStores createVectorStore",
    ),
    ("/vector_stores/vs_1", "vector_stores", "Get_Vector_Store Modify_Vector_Store Delete_Vector_Store"),
    ("/vector_stores/vs_1/files", "vector_stores", "List_Vector_Store_Files Create_Vector_Store_File"),
    ("/vector_stores/vs_1/files/file-1/content", "vector_stores", "Retrieve_Vector_Store_File_Content"),
    ("/vector_stores/vs_1/file_batches", "vector_stores", "Create_Vector_Store_File_Batch createVectorStoreFileBatch"),
    ("/vector_stores/vs_1/search", "vector_stores", "Search_Vector_Store Update_Vector_Store_File_Attributes"),
    ("/files", "files", "createFile listFiles"),
    ("/files/file-1/content", "files", "retrieveFile deleteFile downloadFile"),
    ("/uploads/upload_1/parts", "uploads", "createUpload addUploadPart completeUpload cancelUpload"),
    ("/fine_tuning/jobs", "fine_tuning.jobs", "createFineTuningJob listPaginatedFineTuningJobs"),
    (
        "/fine_tuning/jobs/ftjob-1/events",
        "fine_tuning.jobs",
        "retrieveFineTuningJob cancelFineTuningJob pauseFineTuningJob listFineTuningEvents FineTuning_CopyCheckpoint",
    ),
    ("/fine_tuning/alpha/graders/run", "fine_tuning.jobs", "runGrader validateGrader"),
    ("/fine-tunes/ft-1", "fine_tuning.jobs", ""),
    ("/batches/batch_1/cancel", "batches", "createBatch listBatches cancelBatch"),
    ("/models", "models", "listModels"),
    ("/models/gpt-4o", "models", "retrieveModel Models_List"),
    ("/deployments", "deployments", "Deployments_List"),
    ("/deployments/embeddings", "deployments", ""),
    ("/containers/cntr_1/files", "containers", "ListContainers CreateContainer createContainerFile"),
    ("/evals/eval_1/runs/run_1", "evals", "listEvals createEval getEvalRun cancelEvalRun"),
    ("/conversations/conv_1/items", "conversations", "createConversation listConversationItems"),
    ("/moderations", "moderations", "createModeration"),
    ("/realtime", "realtime", "onHandshake"),
    ("/realtime/client_secrets", "realtime", "create-realtime-client-secret"),
    ("/realtimeapi/sessions", "realtime", "createRealtimeSession"),
]


@pytest.mark.parametrize(
    "prefix", ["", "/openai", "/openai/v1", "/files/openai/v1", "/team-a", "https://gw.example.net/openai"]
)
@pytest.mark.parametrize(("end", "operation"), [(end, operation) for end, operation, _ in APPENDIX])
def test_the_end_of_a_path_names_the_operation(prefix: str, end: str, operation: str) -> None:
    assert target_of(f"{prefix}{end}").operation == operation
    assert target_of(f"{prefix}{end.upper()}/?api-version=2024-10-21#x").operation == operation


@pytest.mark.parametrize(
    ("name", "operation"), [(name, operation) for _, operation, names in APPENDIX for name in names.split()]
)
def test_every_spelling_of_an_operation_id_names_the_operation(name: str, operation: str) -> None:
    dashed = name.replace("_", "-").lower()

    assert {operation_of_id(name), operation_of_id(dashed), operation_of_id(dashed + "-2")} == {operation}


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("Creates a completion for the chat message", "chat.completions"),
        ("Creates a model response for the given chat conversation.", "chat.completions"),
        ("Creates a completion for the provided prompt, parameters and chosen model.", "completions"),
        ("Get a vector representation of a given input: creates an embedding vector.", "embeddings"),
        ("Generates a batch of images from a text caption on a given DALL-E model deployment", "images.generations"),
        ("Creates an edited or extended image given an original image and a prompt.", "images.edits"),
        ("Transcribes audio into the input language.", "audio.transcriptions"),
        ("Gets English language transcribed text and metadata from spoken audio data.", "audio.translations"),
        ("Generates text-to-speech audio from the input text.", "audio.speech"),
        ("Creates a model response.", "responses"),
        ("Create a thread and run it in one request.", "threads.runs"),
        ("Returns a list of messages for a given thread.", "threads.messages"),
        ("Upload a file that can be used across various endpoints.", "files"),
        ("Lists the currently available models", "models"),
        ("Ping", None),
    ],
)
def test_a_display_name_names_the_operation(name: str, operation: str | None) -> None:
    assert operation_of_id(name) == operation


def test_only_published_operations_are_named() -> None:
    theirs = {operation for api in APIS for operation in api.families}

    assert {operation for _, operation, _ in APPENDIX} | theirs == set(OPERATIONS) - {"other"}


def test_a_url_names_deployment_and_version() -> None:
    url = "https://gw.example.net/openai/deployments/Chat%20A/chat/completions?x=1&API-Version=2024-10-21#top"

    assert target_of(url) == Target(
        "/openai/deployments/Chat%20A/chat/completions", "chat.completions", "Chat A", "2024-10-21"
    )


@pytest.mark.parametrize("word", ["chat", "embeddings", "completions", "threads", "deployments"])
def test_a_deployment_may_be_called_anything(word: str) -> None:
    target = target_of(f"/openai/deployments/{word}/chat/completions")

    assert (target.operation, target.deployment) == ("chat.completions", word)


@pytest.mark.parametrize("url", [None, 5, "", "/", "?x=1", "https://", "/facade", "/chat", "/operations/1"])
def test_what_names_no_operation_names_none(url: object) -> None:
    assert target_of(url).operation is None


@pytest.mark.parametrize(
    ("url", "stripped"),
    [
        ("/a?api-key=1&b=2", "/a?b=2"),
        ("/a?b=2&Subscription-Key=1", "/a?b=2"),
        ("/a?%61pi-key=1", "/a"),
        ("/a?b=2&", "/a?b=2&"),
        ("/a", "/a"),
    ],
)
def test_parameters_that_open_doors_are_taken_out(url: str, stripped: str) -> None:
    assert without_secrets(url) == stripped


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://AOAI.openai.azure.com/openai", "aoai.openai.azure.com"),
        ("https://user@h:8443?x", "h:8443"),
        ("/openai", None),
        ("", None),
        (None, None),
    ],
)
def test_a_url_names_its_host(url: object, host: str | None) -> None:
    assert host_of(url) == host


def test_a_realtime_session_names_its_deployment_in_the_query() -> None:
    target = target_of("wss://host/openai/realtime?deployment=rt%201&api-version=2025-04-01-preview&deployment=other")

    assert target == Target("/openai/realtime", "realtime", "rt 1", "2025-04-01-preview")
    assert target_of("/openai/v1/responses?deployment=x").deployment is None

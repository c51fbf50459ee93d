<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ko_KR" sourcelanguage="en">
<context>
    <name>DeviceCard</name>
    <message>
        <source>Stopped</source>
        <translation>중지됨</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>시작하는 중</translation>
    </message>
    <message>
        <source>Loading model</source>
        <translation>모델 불러오는 중</translation>
    </message>
    <message>
        <source>Loading model %1 of %2 GB</source>
        <translation>모델 불러오는 중 %1 / %2 GB</translation>
    </message>
    <message>
        <source>Idle: nothing waiting</source>
        <translation>쉬는 중: 기다리는 일 없음</translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation>멈추는 중</translation>
    </message>
    <message>
        <source>Set aside: %1</source>
        <translation>사용 중지됨: %1</translation>
    </message>
    <message>
        <source>Reading the prompt</source>
        <translation>프롬프트 읽는 중</translation>
    </message>
    <message>
        <source>Generating %1 / %2</source>
        <translation>생성 중 %1 / %2</translation>
    </message>
    <message>
        <source>Decoding</source>
        <translation>디코딩 중</translation>
    </message>
    <message>
        <source>Saving</source>
        <translation>저장하는 중</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>GPU </source>
        <translation>GPU </translation>
    </message>
    <message>
        <source>Idle: not ticked</source>
        <translation>쉬는 중: 선택하지 않음</translation>
    </message>
    <message numerus="yes">
        <source>%n done</source>
        <translation>
            <numerusform>%n장 완료</numerusform>
        </translation>
    </message>
    <message>
        <source>Restarting</source>
        <translation>다시 시작하는 중</translation>
    </message>
    <message>
        <source>Idle: the queue is paused</source>
        <translation>쉬는 중: 대기열 일시 정지됨</translation>
    </message>
</context>
<context>
    <name>ErrorText</name>
    <message>
        <source>The model was not found. Choose another one on the left.</source>
        <translation>모델을 찾지 못했습니다. 왼쪽에서 다른 모델을 고르면 됩니다.</translation>
    </message>
    <message>
        <source>The model cannot be used. Choose another one on the left, or fetch its files again.</source>
        <translation>이 모델은 쓸 수 없습니다. 왼쪽에서 다른 모델을 고르거나 모델 파일을 다시 받으면 됩니다.</translation>
    </message>
    <message>
        <source>A prompt or a setting cannot be used as it is. Change it and generate again.</source>
        <translation>쓸 수 없는 프롬프트나 설정이 있습니다. 바꾼 뒤 다시 만들면 됩니다.</translation>
    </message>
    <message>
        <source>Something that the run needs is not there. Check the folders, or install the program again.</source>
        <translation>작업에 필요한 파일이 없습니다. 폴더를 확인하거나 프로그램을 다시 설치하면 됩니다.</translation>
    </message>
    <message>
        <source>The program cannot do that with this model. Choose another model or other settings.</source>
        <translation>이 모델로는 할 수 없는 작업입니다. 다른 모델이나 다른 설정을 고르면 됩니다.</translation>
    </message>
    <message>
        <source>A file or an answer is damaged. Generate again; if it comes back, fetch the model again.</source>
        <translation>손상된 데이터가 있습니다. 다시 만들어 보고, 또 일어나면 모델을 다시 받으면 됩니다.</translation>
    </message>
    <message>
        <source>There was not enough memory. Choose a smaller size or another device.</source>
        <translation>메모리가 부족합니다. 더 작은 크기나 다른 장치를 고르면 됩니다.</translation>
    </message>
    <message>
        <source>A device stopped answering. Generate again, or untick it on the right.</source>
        <translation>장치가 응답하지 않습니다. 다시 만들거나 오른쪽에서 그 장치의 선택을 지우면 됩니다.</translation>
    </message>
    <message>
        <source>A worker ended in the middle of its work. Generate again, or choose another device.</source>
        <translation>작업 프로세스가 도중에 끝났습니다. 다시 만들거나 다른 장치를 고르면 됩니다.</translation>
    </message>
    <message>
        <source>A worker does not fit this program. Install the program again.</source>
        <translation>작업 프로세스가 이 프로그램과 맞지 않습니다. 프로그램을 다시 설치하면 됩니다.</translation>
    </message>
    <message>
        <source>A worker did not answer in time. Generate again, or choose another device.</source>
        <translation>작업 프로세스가 제때 응답하지 않았습니다. 다시 만들거나 다른 장치를 고르면 됩니다.</translation>
    </message>
    <message>
        <source>It was stopped.</source>
        <translation>중지했습니다.</translation>
    </message>
    <message>
        <source>Something went wrong inside the program. Generate again.</source>
        <translation>프로그램 안에서 오류가 났습니다. 다시 만들면 됩니다.</translation>
    </message>
    <message>
        <source>settings not possible</source>
        <translation>쓸 수 없는 설정</translation>
    </message>
    <message>
        <source>a file is not there</source>
        <translation>파일이 없음</translation>
    </message>
    <message>
        <source>damaged data</source>
        <translation>손상된 데이터</translation>
    </message>
    <message>
        <source>the model cannot be used</source>
        <translation>쓸 수 없는 모델</translation>
    </message>
    <message>
        <source>out of memory</source>
        <translation>메모리 부족</translation>
    </message>
    <message>
        <source>the device stopped answering</source>
        <translation>장치가 응답하지 않음</translation>
    </message>
    <message>
        <source>its worker ended too often</source>
        <translation>작업 프로세스가 거듭 끝남</translation>
    </message>
    <message>
        <source>a file could not be read or written</source>
        <translation>파일을 읽거나 쓰지 못함</translation>
    </message>
    <message>
        <source>the disk is full</source>
        <translation>디스크 가득 참</translation>
    </message>
    <message>
        <source>its worker does not fit this program</source>
        <translation>작업 프로세스가 프로그램과 맞지 않음</translation>
    </message>
    <message>
        <source>its worker did not answer</source>
        <translation>작업 프로세스가 응답하지 않음</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>중지됨</translation>
    </message>
    <message>
        <source>an error in the program</source>
        <translation>프로그램 오류</translation>
    </message>
    <message>
        <source>A prompt is longer than the model reads. Its end is left out.</source>
        <translation>프롬프트가 모델이 읽는 길이보다 깁니다. 끝부분은 쓰지 않습니다.</translation>
    </message>
    <message>
        <source>Parts of a picture are black: its numbers became too large.</source>
        <translation>그림의 일부가 검게 나왔습니다. 계산한 값이 너무 커졌습니다.</translation>
    </message>
    <message>
        <source>A file that was there already differs from what was made now. It was left as it is.</source>
        <translation>이미 있던 파일이 새로 만든 그림과 다릅니다. 파일은 그대로 두었습니다.</translation>
    </message>
    <message>
        <source>A worker shares its cores with others, so it may be slower.</source>
        <translation>작업 프로세스가 코어를 다른 작업과 나누어 씁니다. 조금 느릴 수 있습니다.</translation>
    </message>
    <message>
        <source>The run goes on, but there is a notice about it.</source>
        <translation>작업은 계속되지만 알릴 것이 있습니다. 여기에 마우스를 올리면 내용이 보입니다.</translation>
    </message>
    <message>
        <source>A part of Polyptych is missing. Install it again, then start it again.</source>
        <translation>Polyptych의 일부가 없습니다. 다시 설치한 뒤 다시 시작하면 됩니다.</translation>
    </message>
    <message>
        <source>The library is in use on another machine. Close Polyptych there, then start it again.</source>
        <translation>다른 컴퓨터에서 보관함을 쓰고 있습니다. 그곳의 Polyptych를 닫은 뒤 다시 시작하면 됩니다.</translation>
    </message>
    <message>
        <source>Another version of Polyptych is using the library. Close it there, then start Polyptych again.</source>
        <translation>다른 버전의 Polyptych가 보관함을 쓰고 있습니다. 그것을 닫은 뒤 Polyptych를 다시 시작하면 됩니다.</translation>
    </message>
    <message>
        <source>The part of Polyptych that makes the pictures has ended. Nothing is lost; start Polyptych again.</source>
        <translation>그림을 만드는 프로그램이 끝났습니다. 잃은 것은 없으며, Polyptych를 다시 시작하면 됩니다.</translation>
    </message>
    <message>
        <source>The queue is paused.</source>
        <translation>대기열이 일시 정지되어 있습니다.</translation>
    </message>
    <message>
        <source>Polyptych or the machine ended in the middle of its work. Nothing is lost.</source>
        <translation>작업 도중에 Polyptych나 컴퓨터가 꺼졌습니다. 잃은 것은 없습니다.</translation>
    </message>
    <message>
        <source>The library cannot be written. Work goes on by itself once it can.</source>
        <translation>보관함에 쓸 수 없습니다. 쓸 수 있게 되면 작업이 저절로 이어집니다.</translation>
    </message>
    <message>
        <source>A file could not be read or written. Check the library&apos;s folder.</source>
        <translation>파일을 읽거나 쓰지 못했습니다. 보관함 폴더를 확인하면 됩니다.</translation>
    </message>
    <message>
        <source>The disk is full. Free some space and generate again.</source>
        <translation>디스크가 가득 찼습니다. 공간을 비운 뒤 다시 만들면 됩니다.</translation>
    </message>
    <message>
        <source>Other files are in the way. Move them out of the library&apos;s folder.</source>
        <translation>그 자리에 다른 파일이 있습니다. 보관함 폴더 밖으로 옮기면 됩니다.</translation>
    </message>
    <message>
        <source>Work failed again and again on every device. Look for the cause, then go on.</source>
        <translation>모든 장치에서 작업이 거듭 실패했습니다. 원인을 살핀 뒤 계속하면 됩니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::DevicePanel</name>
    <message>
        <source>Devices</source>
        <translation>장치</translation>
    </message>
    <message>
        <source>Looking for devices</source>
        <translation>장치를 찾는 중</translation>
    </message>
    <message>
        <source>No NVIDIA GPU with a driver was found. Pictures are made on the CPU: it works, but slowly.</source>
        <translation>드라이버가 있는 NVIDIA GPU를 찾지 못했습니다. 그림은 CPU로 만듭니다. 되지만 느립니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::Loupe</name>
    <message>
        <source>Back to the gallery</source>
        <translation>갤러리로 돌아가기</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::MainWindow</name>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Ctrl+Enter</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>중지</translation>
    </message>
    <message>
        <source>Progress of all pictures</source>
        <translation>전체 그림 진행 상황</translation>
    </message>
    <message>
        <source>Gallery</source>
        <translation>갤러리</translation>
    </message>
    <message>
        <source>Your pictures appear here, each in its place while it is being made.
Type one prompt a line on the left and press Ctrl+Enter.</source>
        <translation>그림이 여기에 나타납니다. 만드는 동안에도 제자리에 보입니다.
왼쪽에 한 줄에 하나씩 프롬프트를 쓰고 Ctrl+Enter를 누릅니다.</translation>
    </message>
    <message>
        <source>Checking the model</source>
        <translation>모델 확인 중</translation>
    </message>
    <message>
        <source>Generate %L1</source>
        <translation>%L1장 만들기</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>만들기</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n장 실패</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 a minute</source>
        <translation>분당 %1장</translation>
    </message>
    <message>
        <source>done at %1</source>
        <translation>%1 완료 예정</translation>
    </message>
    <message>
        <source>estimating</source>
        <translation>예상 시간 계산 중</translation>
    </message>
    <message>
        <source>No device is ticked. Tick one on the right.</source>
        <translation>선택한 장치가 없습니다. 오른쪽에서 하나를 선택합니다.</translation>
    </message>
    <message numerus="yes">
        <source>Stopped. %n picture(s) kept.</source>
        <translation>
            <numerusform>중지했습니다. 그림 %n장은 남아 있습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) failed; the others are there.</source>
        <translation>
            <numerusform>그림 %n장을 만들지 못했습니다. 나머지는 모두 있습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All %n picture(s) are there.</source>
        <translation>
            <numerusform>그림 %n장을 모두 만들었습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>시드 %1</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) failed.</source>
        <translation>
            <numerusform>그림 %n장을 만들지 못했습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>계속하기</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>일시 정지</translation>
    </message>
    <message>
        <source>Polyptych went on with its work while its window was closed.</source>
        <translation>창이 닫혀 있는 동안에도 Polyptych가 작업을 계속했습니다.</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>일시 정지됨</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>되돌리기</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>계속하기</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::MessageBar</name>
    <message>
        <source>Dismiss</source>
        <translation>닫기</translation>
    </message>
    <message>
        <source>Show in file manager</source>
        <translation>파일 관리자에서 보기</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunForm</name>
    <message>
        <source>One prompt a line. Paste as many as you like.</source>
        <translation>한 줄에 프롬프트 하나. 몇 줄이든 붙여 넣을 수 있습니다.</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>프롬프트</translation>
    </message>
    <message>
        <source>Folder, or a name such as org/model</source>
        <translation>폴더 또는 org/model 같은 이름</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>폴더…</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>모델 폴더 고르기</translation>
    </message>
    <message>
        <source>Model&apos;s own</source>
        <translation>모델 기본</translation>
    </message>
    <message>
        <source>Random</source>
        <translation>무작위</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>크기</translation>
    </message>
    <message>
        <source>Scheduler</source>
        <translation>스케줄러</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>스텝</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>가이던스</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>시드</translation>
    </message>
    <message>
        <source>Pictures per prompt</source>
        <translation>프롬프트당 그림</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>제외 프롬프트</translation>
    </message>
    <message>
        <source>Type a prompt to begin.</source>
        <translation>프롬프트를 쓰면 시작할 수 있습니다.</translation>
    </message>
    <message numerus="yes">
        <source>%n prompt(s)</source>
        <translation>
            <numerusform>프롬프트 %n개</numerusform>
        </translation>
    </message>
    <message>
        <source>No model was found on this machine. Choose a folder with a Stable Diffusion model in diffusers format.</source>
        <translation>이 컴퓨터에서 모델을 찾지 못했습니다. diffusers 형식의 Stable Diffusion 모델 폴더를 고르면 됩니다.</translation>
    </message>
    <message>
        <source>There is no prompt yet. Type one in the list on the left.</source>
        <translation>아직 프롬프트가 없습니다. 왼쪽 목록에 하나를 쓰면 됩니다.</translation>
    </message>
    <message>
        <source>No model is chosen. Choose a folder with a Stable Diffusion model in diffusers format.</source>
        <translation>고른 모델이 없습니다. diffusers 형식의 Stable Diffusion 모델 폴더를 고르면 됩니다.</translation>
    </message>
    <message>
        <source>The size is width × height, both multiples of 8 from %1 to %2, such as 512 × 768.</source>
        <translation>크기는 너비 × 높이로 쓰며, 둘 다 %1에서 %2까지의 8의 배수입니다. 예: 512 × 768.</translation>
    </message>
    <message>
        <source>The seed is a whole number from 0 to 18446744073709551615, or nothing for a random one.</source>
        <translation>시드는 0에서 18446744073709551615까지의 정수입니다. 비워 두면 무작위입니다.</translation>
    </message>
    <message numerus="yes">
        <source>%L1 picture(s)</source>
        <translation>
            <numerusform>그림 %L1장</numerusform>
        </translation>
    </message>
    <message>
        <source>Model&apos;s best</source>
        <translation>모델에 맞게</translation>
    </message>
    <message>
        <source>a red sailing boat on the sea at sunset</source>
        <translation>해 질 녘 바다 위의 빨간 돛단배</translation>
    </message>
    <message>
        <source>a yellow house in the snow at night</source>
        <translation>밤의 눈밭에 있는 노란 집</translation>
    </message>
    <message>
        <source>a green balloon over a meadow</source>
        <translation>초원 위의 초록색 열기구</translation>
    </message>
</context>
</TS>

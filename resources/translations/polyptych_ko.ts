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
    <message>
        <source>Restart</source>
        <translation>다시 시작</translation>
    </message>
    <message>
        <source>Restart %1</source>
        <translation>%1 다시 시작</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>기록</translation>
    </message>
    <message>
        <source>Log of %1</source>
        <translation>%1 기록</translation>
    </message>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n장 실패</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 it/s</source>
        <translation>초당 %1스텝</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>기다림</translation>
    </message>
    <message>
        <source>Do not use %1</source>
        <translation>%1 사용하지 않기</translation>
    </message>
    <message>
        <source>Use %1</source>
        <translation>%1 사용하기</translation>
    </message>
    <message>
        <source>Unfold</source>
        <translation>펼치기</translation>
    </message>
    <message>
        <source>Fold</source>
        <translation>접기</translation>
    </message>
    <message numerus="yes">
        <source>%1 of %n worker(s) at work</source>
        <translation>
            <numerusform>작업 프로세스 %n개 중 %1개 작업 중</numerusform>
        </translation>
    </message>
    <message>
        <source>Workers</source>
        <translation>작업 프로세스</translation>
    </message>
    <message>
        <source>Works together with %1</source>
        <translation>함께 만드는 중: %1</translation>
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
        <source>One of two devices that work together was lost. The other goes on by itself.</source>
        <translation>함께 작업하던 두 장치 중 하나가 끊겼습니다. 나머지 장치로 계속합니다.</translation>
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
    <name>PictureLines</name>
    <message>
        <source>Steps are a whole number from 1 to %1.</source>
        <translation>스텝은 1부터 %1까지의 정수입니다.</translation>
    </message>
    <message>
        <source>Guidance is a number from 0 to 100, such as 7.5.</source>
        <translation>가이던스는 0부터 100까지의 수입니다. 예: 7.5</translation>
    </message>
    <message>
        <source>Pictures are a whole number from 1 to %1.</source>
        <translation>그림 수는 1부터 %1까지의 정수입니다.</translation>
    </message>
    <message>
        <source>The seed is a whole number from 0 to 18446744073709551615, or nothing.</source>
        <translation>시드는 0부터 18446744073709551615까지의 정수이거나 비워 둡니다.</translation>
    </message>
</context>
<context>
    <name>PromptChips</name>
    <message>
        <source>off</source>
        <translation>꺼짐</translation>
    </message>
    <message>
        <source>model not found</source>
        <translation>모델 없음</translation>
    </message>
    <message numerus="yes">
        <source>▲ %n word(s) over</source>
        <translation>
            <numerusform>▲ %n단어 초과</numerusform>
        </translation>
    </message>
    <message>
        <source>The model reads the first %1 tokens of a prompt; this one has %2.</source>
        <translation>모델은 프롬프트의 처음 %1토큰만 읽습니다. 이 프롬프트는 %2토큰입니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::AboutPage</name>
    <message>
        <source>About Polyptych</source>
        <translation>Polyptych 정보</translation>
    </message>
    <message>
        <source>Turns a list of prompts into a gallery of pictures with every GPU of the machine. Nothing leaves this computer.</source>
        <translation>프롬프트 목록을 이 컴퓨터의 모든 GPU로 그림 갤러리로 만듭니다. 컴퓨터 밖으로 나가는 것은 없습니다.</translation>
    </message>
    <message>
        <source>Versions</source>
        <translation>버전</translation>
    </message>
    <message>
        <source>Licences of what is shipped with it</source>
        <translation>함께 제공되는 것의 라이선스</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ActionList</name>
    <message>
        <source>What do you want to do?</source>
        <translation>무엇을 하시겠습니까?</translation>
    </message>
    <message>
        <source>Find an action</source>
        <translation>동작 찾기</translation>
    </message>
    <message>
        <source>Actions</source>
        <translation>동작</translation>
    </message>
    <message>
        <source>No action matches.</source>
        <translation>맞는 동작이 없습니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::Actions</name>
    <message>
        <source>Generate</source>
        <translation>만들기</translation>
    </message>
    <message>
        <source>Pause or resume</source>
        <translation>일시 정지 또는 계속하기</translation>
    </message>
    <message>
        <source>Stop the pictures in work</source>
        <translation>만드는 중인 그림 중지</translation>
    </message>
    <message>
        <source>Stop this run</source>
        <translation>이 작업 묶음 중지</translation>
    </message>
    <message>
        <source>Stop everything that waits</source>
        <translation>기다리는 것 모두 중지</translation>
    </message>
    <message>
        <source>Stop everything</source>
        <translation>모두 중지</translation>
    </message>
    <message>
        <source>Go to the prompts</source>
        <translation>프롬프트로 가기</translation>
    </message>
    <message>
        <source>Generating</source>
        <translation>만들기</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>프롬프트</translation>
    </message>
    <message>
        <source>Gallery</source>
        <translation>갤러리</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>대기열</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>장치</translation>
    </message>
    <message>
        <source>View</source>
        <translation>보기</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>프로그램</translation>
    </message>
    <message>
        <source>Find an action…</source>
        <translation>동작 찾기…</translation>
    </message>
    <message>
        <source>Open the menu</source>
        <translation>메뉴 열기</translation>
    </message>
    <message>
        <source>Show the library in the file manager</source>
        <translation>파일 관리자에서 보관함 보기</translation>
    </message>
    <message>
        <source>Open another library…</source>
        <translation>다른 보관함 열기…</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>단축키</translation>
    </message>
    <message>
        <source>About Polyptych</source>
        <translation>Polyptych 정보</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>끝내기</translation>
    </message>
    <message>
        <source>Language: English</source>
        <translation>언어: 영어</translation>
    </message>
    <message>
        <source>Language: Korean</source>
        <translation>언어: 한국어</translation>
    </message>
    <message>
        <source>Theme: light</source>
        <translation>테마: 밝게</translation>
    </message>
    <message>
        <source>Theme: dark</source>
        <translation>테마: 어둡게</translation>
    </message>
    <message>
        <source>Show or hide the side panels</source>
        <translation>옆 패널 보이기 또는 숨기기</translation>
    </message>
    <message>
        <source>Show or hide prompts and settings</source>
        <translation>프롬프트와 설정 보이기 또는 숨기기</translation>
    </message>
    <message>
        <source>Show or hide the devices</source>
        <translation>장치 보이기 또는 숨기기</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>전체 화면</translation>
    </message>
    <message>
        <source>Generate at the front of the queue</source>
        <translation>대기열 맨 앞에 넣어 만들기</translation>
    </message>
    <message>
        <source>Language: system</source>
        <translation>언어: 시스템</translation>
    </message>
    <message>
        <source>Theme: system</source>
        <translation>테마: 시스템</translation>
    </message>
    <message>
        <source>Open the picture large</source>
        <translation>그림 크게 열기</translation>
    </message>
    <message>
        <source>Back to the grid</source>
        <translation>격자로 돌아가기</translation>
    </message>
    <message>
        <source>Compare two pictures</source>
        <translation>그림 두 장 비교하기</translation>
    </message>
    <message>
        <source>Show or hide how the picture was made</source>
        <translation>그림 정보 보이기 또는 숨기기</translation>
    </message>
    <message>
        <source>Picture on the whole screen</source>
        <translation>그림을 전체 화면으로 보기</translation>
    </message>
    <message>
        <source>No stars</source>
        <translation>별 없음</translation>
    </message>
    <message>
        <source>One star</source>
        <translation>별 1개</translation>
    </message>
    <message>
        <source>Two stars</source>
        <translation>별 2개</translation>
    </message>
    <message>
        <source>Three stars</source>
        <translation>별 3개</translation>
    </message>
    <message>
        <source>Four stars</source>
        <translation>별 4개</translation>
    </message>
    <message>
        <source>Five stars</source>
        <translation>별 5개</translation>
    </message>
    <message>
        <source>Pick</source>
        <translation>선택</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>제외</translation>
    </message>
    <message>
        <source>Neither pick nor reject</source>
        <translation>선택·제외 해제</translation>
    </message>
    <message>
        <source>Add a tag, or add to an album</source>
        <translation>태그 또는 앨범에 추가하기</translation>
    </message>
    <message>
        <source>Move to the trash, or out of it</source>
        <translation>휴지통으로 옮기기 또는 되돌리기</translation>
    </message>
    <message>
        <source>Undo the last mark</source>
        <translation>마지막 표시 실행 취소</translation>
    </message>
    <message>
        <source>Export pictures</source>
        <translation>그림 내보내기</translation>
    </message>
    <message>
        <source>Copy the picture</source>
        <translation>그림 복사</translation>
    </message>
    <message>
        <source>Copy the prompt</source>
        <translation>프롬프트 복사</translation>
    </message>
    <message>
        <source>Use the picture&apos;s settings</source>
        <translation>그림의 설정 쓰기</translation>
    </message>
    <message>
        <source>Use the picture&apos;s seed</source>
        <translation>그림의 시드 쓰기</translation>
    </message>
    <message>
        <source>Show the picture in the file manager</source>
        <translation>파일 관리자에서 그림 보기</translation>
    </message>
    <message>
        <source>Search prompts</source>
        <translation>프롬프트 검색</translation>
    </message>
    <message>
        <source>Edit the prompt in its row</source>
        <translation>줄에서 프롬프트 편집</translation>
    </message>
    <message>
        <source>Open a prompt list</source>
        <translation>프롬프트 목록 열기</translation>
    </message>
    <message>
        <source>Save the prompt list</source>
        <translation>프롬프트 목록 저장</translation>
    </message>
    <message>
        <source>Settings and length of the prompts</source>
        <translation>프롬프트의 설정과 길이</translation>
    </message>
    <message>
        <source>Turn the prompts on or off</source>
        <translation>프롬프트 켜기 또는 끄기</translation>
    </message>
    <message>
        <source>Duplicate the prompts</source>
        <translation>프롬프트 복제</translation>
    </message>
    <message>
        <source>Move the prompts up</source>
        <translation>프롬프트 위로 옮기기</translation>
    </message>
    <message>
        <source>Move the prompts down</source>
        <translation>프롬프트 아래로 옮기기</translation>
    </message>
    <message>
        <source>Cut the prompts</source>
        <translation>프롬프트 잘라내기</translation>
    </message>
    <message>
        <source>Copy the prompts</source>
        <translation>프롬프트 복사</translation>
    </message>
    <message>
        <source>Paste prompts</source>
        <translation>프롬프트 붙여넣기</translation>
    </message>
    <message>
        <source>Remove the prompts</source>
        <translation>프롬프트 제거</translation>
    </message>
    <message>
        <source>Remove all prompts</source>
        <translation>모든 프롬프트 제거</translation>
    </message>
    <message>
        <source>Add sample prompts</source>
        <translation>예시 프롬프트 추가</translation>
    </message>
    <message>
        <source>Undo a change of the prompts</source>
        <translation>프롬프트 변경 실행 취소</translation>
    </message>
    <message>
        <source>Redo a change of the prompts</source>
        <translation>프롬프트 변경 다시 실행</translation>
    </message>
    <message>
        <source>Save the settings as a preset</source>
        <translation>설정을 프리셋으로 저장</translation>
    </message>
    <message>
        <source>Choose a preset</source>
        <translation>프리셋 고르기</translation>
    </message>
    <message>
        <source>Go to the devices</source>
        <translation>장치로 가기</translation>
    </message>
    <message>
        <source>Tick every GPU</source>
        <translation>모든 GPU 선택</translation>
    </message>
    <message>
        <source>Restart devices that were set aside</source>
        <translation>사용 중지된 장치 다시 시작</translation>
    </message>
    <message>
        <source>Log of the devices</source>
        <translation>장치 기록</translation>
    </message>
    <message>
        <source>Show or hide the queue</source>
        <translation>대기열 보이기 또는 숨기기</translation>
    </message>
    <message>
        <source>Move the jobs to the front</source>
        <translation>작업을 맨 앞으로</translation>
    </message>
    <message>
        <source>Move the jobs up</source>
        <translation>작업을 위로 옮기기</translation>
    </message>
    <message>
        <source>Move the jobs down</source>
        <translation>작업을 아래로 옮기기</translation>
    </message>
    <message>
        <source>Cancel the jobs</source>
        <translation>작업 취소</translation>
    </message>
    <message>
        <source>Retry the jobs</source>
        <translation>작업 다시 시도</translation>
    </message>
    <message>
        <source>Make the jobs again, changed</source>
        <translation>작업을 바꾸어 다시 만들기</translation>
    </message>
    <message>
        <source>Dismiss failed jobs</source>
        <translation>실패한 작업 치우기</translation>
    </message>
    <message>
        <source>Pause the run</source>
        <translation>작업 묶음 일시 정지</translation>
    </message>
    <message>
        <source>Resume the run</source>
        <translation>작업 묶음 계속하기</translation>
    </message>
    <message>
        <source>One more worker for the CPU</source>
        <translation>CPU 작업 프로세스 하나 더</translation>
    </message>
    <message>
        <source>One worker fewer for the CPU</source>
        <translation>CPU 작업 프로세스 하나 줄이기</translation>
    </message>
    <message>
        <source>Move the jobs to the end</source>
        <translation>작업을 맨 뒤로 옮기기</translation>
    </message>
    <message>
        <source>Undo the last change of the queue</source>
        <translation>대기열의 마지막 변경 실행 취소</translation>
    </message>
    <message>
        <source>Go to the pictures</source>
        <translation>그림으로 가기</translation>
    </message>
    <message>
        <source>Go to the message</source>
        <translation>메시지로 가기</translation>
    </message>
    <message>
        <source>Go to the next part of the window</source>
        <translation>창의 다음 부분으로 가기</translation>
    </message>
    <message>
        <source>Go to the previous part of the window</source>
        <translation>창의 이전 부분으로 가기</translation>
    </message>
    <message>
        <source>GPUs make each picture together, or each its own</source>
        <translation>GPU끼리 그림을 함께 또는 따로 만들기</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ClosingSheet</name>
    <message>
        <source>Close the window?</source>
        <translation>창을 닫으시겠습니까?</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) are not made yet.</source>
        <translation>
            <numerusform>아직 만들지 않은 그림이 %n장 있습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on without the window</source>
        <translation>창 없이 계속하기</translation>
    </message>
    <message>
        <source>Finish what is being made</source>
        <translation>만드는 중인 것만 마치기</translation>
    </message>
    <message>
        <source>Stop now</source>
        <translation>지금 중지하기</translation>
    </message>
    <message>
        <source>The pictures are made in the background.</source>
        <translation>그림을 배경에서 만듭니다.</translation>
    </message>
    <message>
        <source>The pictures in work are finished in the background; the others wait in the queue.</source>
        <translation>만드는 중인 그림은 배경에서 마치고, 나머지는 대기열에서 기다립니다.</translation>
    </message>
    <message>
        <source>Nothing is lost: what was being made begins anew when you go on.</source>
        <translation>잃는 것은 없습니다. 만들던 그림은 계속할 때 처음부터 다시 만듭니다.</translation>
    </message>
    <message>
        <source>Do this every time</source>
        <translation>앞으로도 이렇게 하기</translation>
    </message>
    <message>
        <source>Keep it open</source>
        <translation>닫지 않기</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::Compare</name>
    <message>
        <source>Two pictures side by side</source>
        <translation>나란히 놓인 그림 두 장</translation>
    </message>
    <message>
        <source>Left picture</source>
        <translation>왼쪽 그림</translation>
    </message>
    <message>
        <source>Right picture</source>
        <translation>오른쪽 그림</translation>
    </message>
    <message>
        <source>Back to the gallery</source>
        <translation>갤러리로 돌아가기</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>Tab changes sides · arrow keys change the picture · marks go to the one with the ring</source>
        <translation>Tab: 쪽 바꾸기 · 화살표 키: 그림 바꾸기 · 표시는 테두리가 있는 그림에 붙습니다</translation>
    </message>
    <message>
        <source>Nothing that is known of them differs.</source>
        <translation>알려진 설정이 모두 같습니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::DeviceLog</name>
    <message>
        <source>Ready</source>
        <translation>준비됨</translation>
    </message>
    <message>
        <source>Picture %1 in %2 s</source>
        <translation>그림 %1, %2초</translation>
    </message>
    <message>
        <source>Picture %1 failed: %2</source>
        <translation>그림 %1 실패: %2</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>시각</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>장치</translation>
    </message>
    <message>
        <source>What happened</source>
        <translation>일어난 일</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::DeviceLogPage</name>
    <message>
        <source>Log of the devices</source>
        <translation>장치 기록</translation>
    </message>
    <message>
        <source>All devices</source>
        <translation>모든 장치</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>장치</translation>
    </message>
    <message>
        <source>Copy all</source>
        <translation>모두 복사</translation>
    </message>
    <message>
        <source>Nothing has happened yet. What devices do is noted here until the window closes.</source>
        <translation>아직 기록이 없습니다. 창을 닫을 때까지 장치가 한 일이 여기에 남습니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::DeviceMeters</name>
    <message>
        <source>Memory and utilisation of the CPU</source>
        <translation>CPU 메모리와 사용률</translation>
    </message>
    <message>
        <source>Memory and utilisation of the GPU</source>
        <translation>GPU 메모리와 사용률</translation>
    </message>
    <message>
        <source>%1 / %2 GB</source>
        <translation>%1 / %2 GB</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>%1 °C</source>
        <translation>%1 °C</translation>
    </message>
    <message>
        <source>%1 W</source>
        <translation>%1 W</translation>
    </message>
    <message>
        <source>This library&apos;s work: %1 GB
Other programs: %2 GB
Free: %3 GB</source>
        <translation>이 보관함의 작업: %1 GB
다른 프로그램: %2 GB
비어 있음: %3 GB</translation>
    </message>
    <message>
        <source>Utilisation over the last two minutes: now %1 %, on average %2 %</source>
        <translation>최근 2분 사용률: 지금 %1 %, 평균 %2 %</translation>
    </message>
    <message>
        <source>Power limit: %1 W</source>
        <translation>전력 한도: %1 W</translation>
    </message>
    <message>
        <source>RAM</source>
        <translation>RAM</translation>
    </message>
    <message>
        <source>VRAM</source>
        <translation>VRAM</translation>
    </message>
    <message>
        <source>Used: %1 GB. The driver does not say how much of it is this library&apos;s work.
Free: %2 GB</source>
        <translation>사용 중: %1 GB. 드라이버가 이 보관함의 작업이 쓰는 양을 알려 주지 않습니다.
남음: %2 GB</translation>
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
    <message>
        <source>Make each picture together</source>
        <translation>그림 한 장을 함께 만들기</translation>
    </message>
    <message>
        <source>Two GPUs of a kind share a picture: one is there sooner, many take longer.</source>
        <translation>같은 GPU 두 개가 그림 한 장을 나누어 만듭니다. 한 장은 빨라지고 여러 장은 느려집니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ExportPage</name>
    <message numerus="yes">
        <source>Export %n chosen picture(s)</source>
        <translation>
            <numerusform>고른 그림 %n장 내보내기</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Export all %n picture(s) shown</source>
        <translation>
            <numerusform>보이는 그림 %n장 모두 내보내기</numerusform>
        </translation>
    </message>
    <message>
        <source>To a folder</source>
        <translation>폴더로</translation>
    </message>
    <message>
        <source>To a zip file</source>
        <translation>zip 파일로</translation>
    </message>
    <message>
        <source>On a contact sheet</source>
        <translation>밀착 인화지로</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>폴더</translation>
    </message>
    <message>
        <source>File</source>
        <translation>파일</translation>
    </message>
    <message>
        <source>Names</source>
        <translation>이름</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>형식</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>품질</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>열</translation>
    </message>
    <message>
        <source>Size of a picture</source>
        <translation>그림 크기</translation>
    </message>
    <message>
        <source>Keep prompt and settings in the files</source>
        <translation>파일에 프롬프트와 설정 남기기</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>고르기…</translation>
    </message>
    <message>
        <source>As fits</source>
        <translation>알맞게</translation>
    </message>
    <message>
        <source> px</source>
        <translation> px</translation>
    </message>
    <message>
        <source>In the place of %1, what it says; / makes a folder.</source>
        <translation>%1 자리에는 해당 값이 들어가고, /는 폴더를 만듭니다.</translation>
    </message>
    <message>
        <source>Progress of the export</source>
        <translation>내보내기 진행 상황</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>중지</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>내보내기</translation>
    </message>
    <message>
        <source>Exported pictures</source>
        <translation>내보낸 그림</translation>
    </message>
    <message>
        <source>Folder for the pictures</source>
        <translation>그림을 둘 폴더</translation>
    </message>
    <message>
        <source>File to write</source>
        <translation>저장할 파일</translation>
    </message>
    <message>
        <source>Say where the pictures are to go.</source>
        <translation>그림을 둘 곳을 적습니다.</translation>
    </message>
    <message>
        <source>There is no {%1}. Take one of the words above.</source>
        <translation>{%1}이라는 말은 없습니다. 위의 말 가운데 하나를 씁니다.</translation>
    </message>
    <message>
        <source>Say how the files are to be named.</source>
        <translation>파일 이름을 적습니다.</translation>
    </message>
    <message>
        <source>Becomes %1</source>
        <translation>%1(으)로 저장됩니다</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>The export was stopped.</source>
        <translation>내보내기를 중지했습니다.</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) exported.</source>
        <translation>
            <numerusform>그림 %n장을 내보냈습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n could not be read.</source>
        <translation>
            <numerusform>%n장은 읽을 수 없었습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>Show in file manager</source>
        <translation>파일 관리자에서 보기</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::FilterBar</name>
    <message>
        <source>Search prompts</source>
        <translation>프롬프트 검색</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>필터</translation>
    </message>
    <message>
        <source>View</source>
        <translation>보기</translation>
    </message>
    <message>
        <source>Size of the pictures in the grid</source>
        <translation>격자의 그림 크기</translation>
    </message>
    <message>
        <source>Size of the pictures (Ctrl+wheel)</source>
        <translation>그림 크기 (Ctrl+휠)</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>비교</translation>
    </message>
    <message>
        <source>Two pictures side by side (C)</source>
        <translation>그림 두 장 나란히 보기 (C)</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>내보내기…</translation>
    </message>
    <message>
        <source>Save the chosen pictures, or all that are shown (Ctrl+E)</source>
        <translation>고른 그림이나 보이는 그림 모두 저장하기 (Ctrl+E)</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) are shown</source>
        <translation>
            <numerusform>그림 %n장이 보입니다</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n selected</source>
        <translation>
            <numerusform>%n장 고름</numerusform>
        </translation>
    </message>
    <message>
        <source>All</source>
        <translation>전체</translation>
    </message>
    <message>
        <source>Picks</source>
        <translation>선택</translation>
    </message>
    <message>
        <source>Rejects</source>
        <translation>제외</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>휴지통</translation>
    </message>
    <message>
        <source>%1 or more</source>
        <translation>%1 이상</translation>
    </message>
    <message>
        <source>Not judged</source>
        <translation>판정 전</translation>
    </message>
    <message>
        <source>Album %1</source>
        <translation>앨범 %1</translation>
    </message>
    <message>
        <source>Run %1</source>
        <translation>작업 묶음 %1</translation>
    </message>
    <message>
        <source>One run</source>
        <translation>작업 묶음 하나</translation>
    </message>
    <message>
        <source>Remove the filter %1</source>
        <translation>필터 %1 빼기</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>지우기</translation>
    </message>
    <message>
        <source>Stars</source>
        <translation>별</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>태그</translation>
    </message>
    <message>
        <source>Albums</source>
        <translation>앨범</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>작업 묶음</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>날짜</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>순서</translation>
    </message>
    <message>
        <source>Run order</source>
        <translation>작업 묶음 순</translation>
    </message>
    <message>
        <source>Newest first</source>
        <translation>최신순</translation>
    </message>
    <message>
        <source>Oldest first</source>
        <translation>오래된 순</translation>
    </message>
    <message>
        <source>Most stars first</source>
        <translation>별 많은 순</translation>
    </message>
    <message>
        <source>Groups</source>
        <translation>묶기</translation>
    </message>
    <message>
        <source>By run</source>
        <translation>작업 묶음별</translation>
    </message>
    <message>
        <source>By prompt</source>
        <translation>프롬프트별</translation>
    </message>
    <message>
        <source>By day</source>
        <translation>날짜별</translation>
    </message>
    <message>
        <source>Without groups</source>
        <translation>묶지 않음</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::GalleryModel</name>
    <message>
        <source>Today</source>
        <translation>오늘</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>어제</translation>
    </message>
    <message numerus="yes">
        <source>%n star(s)</source>
        <translation>
            <numerusform>별 %n개</numerusform>
        </translation>
    </message>
    <message>
        <source>picked</source>
        <translation>선택됨</translation>
    </message>
    <message>
        <source>rejected</source>
        <translation>제외됨</translation>
    </message>
    <message>
        <source>in work</source>
        <translation>만드는 중</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>실패</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>기다림</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::GalleryPage</name>
    <message>
        <source>Gallery</source>
        <translation>갤러리</translation>
    </message>
    <message>
        <source>There is no mark to undo.</source>
        <translation>실행 취소할 표시가 없습니다.</translation>
    </message>
    <message>
        <source>The mark was taken back.</source>
        <translation>표시를 되돌렸습니다.</translation>
    </message>
    <message>
        <source>The trash is empty.
Delete moves a picture here; Ctrl+Z brings it back.</source>
        <translation>휴지통이 비어 있습니다.
Delete 키를 누르면 그림이 여기로 오고, Ctrl+Z로 되돌립니다.</translation>
    </message>
    <message>
        <source>No picture fits the filter.
Take out one of the filters above, or clear the search.</source>
        <translation>필터에 맞는 그림이 없습니다.
위의 필터를 하나 빼거나 검색어를 지웁니다.</translation>
    </message>
    <message>
        <source>picked</source>
        <translation>선택됨</translation>
    </message>
    <message>
        <source>rejected</source>
        <translation>제외됨</translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>시드 %1</translation>
    </message>
    <message>
        <source>Choose two pictures to compare: Ctrl+click adds one.</source>
        <translation>비교할 그림 두 장을 고릅니다. Ctrl을 누른 채 클릭하면 더해집니다.</translation>
    </message>
    <message>
        <source>There is no picture to export yet.</source>
        <translation>아직 내보낼 그림이 없습니다.</translation>
    </message>
    <message>
        <source>Choose a finished picture first.</source>
        <translation>먼저 완성된 그림을 고릅니다.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>실행 취소</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) moved to the trash.</source>
        <translation>
            <numerusform>그림 %n장을 휴지통으로 옮겼습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) taken out of the trash.</source>
        <translation>
            <numerusform>그림 %n장을 휴지통에서 꺼냈습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) marked.</source>
        <translation>
            <numerusform>그림 %n장에 표시했습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n prompt(s) copied.</source>
        <translation>
            <numerusform>프롬프트 %n개를 복사했습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) copied.</source>
        <translation>
            <numerusform>그림 %n장을 복사했습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>Stars</source>
        <translation>별</translation>
    </message>
    <message>
        <source>%1 has no settings in it that can be read.</source>
        <translation>%1에는 읽을 수 있는 설정이 없습니다.</translation>
    </message>
    <message>
        <source>Your pictures appear here, each in its place while it is being made.
Press Ctrl+Enter to make what stands on the left, or type your own first.</source>
        <translation>그림이 여기에 나타납니다. 만드는 동안에도 제자리에 보입니다.
Ctrl+Enter를 누르면 왼쪽의 프롬프트로 그림을 만듭니다. 먼저 직접 써도 됩니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ImportSheet</name>
    <message>
        <source>Leave out</source>
        <translation>사용하지 않음</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>프롬프트</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>제외 프롬프트</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>크기</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>너비</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>높이</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>시드</translation>
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
        <source>Scheduler</source>
        <translation>스케줄러</translation>
    </message>
    <message>
        <source>Pictures per prompt</source>
        <translation>프롬프트당 그림</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>On or off</source>
        <translation>켜짐 또는 꺼짐</translation>
    </message>
    <message>
        <source>Prompts from %1</source>
        <translation>%1의 프롬프트</translation>
    </message>
    <message>
        <source>What is in each column?</source>
        <translation>각 열은 무엇입니까?</translation>
    </message>
    <message>
        <source>The first row names the columns</source>
        <translation>첫 줄은 열 이름</translation>
    </message>
    <message>
        <source>Replace the list</source>
        <translation>목록 바꾸기</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
    <message>
        <source>Column %1</source>
        <translation>%1번째 열</translation>
    </message>
    <message numerus="yes">
        <source>Add %n prompt(s)</source>
        <translation>
            <numerusform>프롬프트 %n개 추가</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::InfoPanel</name>
    <message>
        <source>Picture</source>
        <translation>그림</translation>
    </message>
    <message>
        <source>Use these settings</source>
        <translation>이 설정 쓰기</translation>
    </message>
    <message>
        <source>Use seed</source>
        <translation>시드 쓰기</translation>
    </message>
    <message>
        <source>Copy prompt</source>
        <translation>프롬프트 복사</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>태그</translation>
    </message>
    <message>
        <source>Add a tag, Enter</source>
        <translation>태그를 쓰고 Enter</translation>
    </message>
    <message>
        <source>Albums</source>
        <translation>앨범</translation>
    </message>
    <message>
        <source>Add to an album, Enter</source>
        <translation>앨범을 쓰고 Enter</translation>
    </message>
    <message numerus="yes">
        <source>%n pictures are chosen; tags and albums go to all of them.</source>
        <translation>
            <numerusform>그림 %n장을 골랐습니다. 태그와 앨범은 모두에 붙습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>Choose a picture to see how it was made.</source>
        <translation>그림을 고르면 어떻게 만들었는지 보입니다.</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>빼기</translation>
    </message>
    <message>
        <source>Remove %1</source>
        <translation>%1 빼기</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::KeyRecorder</name>
    <message>
        <source>Press the new keys</source>
        <translation>새 키를 누르십시오</translation>
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
    <message>
        <source>Picture</source>
        <translation>그림</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::MainMenu</name>
    <message>
        <source>Language</source>
        <translation>언어</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>테마</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>밝게</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>어둡게</translation>
    </message>
    <message>
        <source>System</source>
        <translation>시스템</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::MainWindow</name>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n장 실패</numerusform>
        </translation>
    </message>
    <message>
        <source>No device is ticked. Tick one on the right.</source>
        <translation>선택한 장치가 없습니다. 오른쪽에서 하나를 선택합니다.</translation>
    </message>
    <message>
        <source>Polyptych went on with its work while its window was closed.</source>
        <translation>창이 닫혀 있는 동안에도 Polyptych가 작업을 계속했습니다.</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>계속하기</translation>
    </message>
    <message>
        <source>%1 – Polyptych</source>
        <translation>%1 – Polyptych</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s)</source>
        <translation>
            <numerusform>그림 %n장</numerusform>
        </translation>
    </message>
    <message>
        <source>All pictures are there</source>
        <translation>그림을 모두 만들었습니다</translation>
    </message>
    <message>
        <source>The work has ended</source>
        <translation>작업이 끝났습니다</translation>
    </message>
    <message>
        <source>Go to the devices</source>
        <translation>장치로 가기</translation>
    </message>
    <message>
        <source>The picture&apos;s settings are taken over.</source>
        <translation>그림의 설정을 가져왔습니다.</translation>
    </message>
    <message>
        <source>Settings taken over from %1.</source>
        <translation>%1의 설정을 가져왔습니다.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>실행 취소</translation>
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
    <message>
        <source>Queue %L1</source>
        <translation>대기열 %L1</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>대기열</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ModelsPage</name>
    <message>
        <source>Models</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Polyptych downloads nothing by itself. It finds models in diffusers format in these folders, in the Hugging Face cache, and the small one that comes with it.</source>
        <translation>Polyptych는 스스로 아무것도 내려받지 않습니다. 이 폴더들과 Hugging Face 캐시에 있는 diffusers 형식의 모델, 그리고 함께 제공되는 작은 모델을 찾습니다.</translation>
    </message>
    <message>
        <source>Use as default</source>
        <translation>기본으로 쓰기</translation>
    </message>
    <message>
        <source>Show in file manager</source>
        <translation>파일 관리자에서 보기</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>폴더 추가…</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>빼기</translation>
    </message>
    <message>
        <source>Remove %1 from the list</source>
        <translation>목록에서 %1 빼기</translation>
    </message>
    <message>
        <source>Add a folder with models</source>
        <translation>모델이 있는 폴더 추가</translation>
    </message>
    <message>
        <source>Folders searched for models</source>
        <translation>모델을 찾는 폴더</translation>
    </message>
    <message>
        <source>Searching</source>
        <translation>찾는 중</translation>
    </message>
    <message>
        <source>Refresh</source>
        <translation>새로 고침</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ModelsTable</name>
    <message>
        <source>default</source>
        <translation>기본</translation>
    </message>
    <message>
        <source>comes with the program</source>
        <translation>프로그램에 포함됨</translation>
    </message>
    <message>
        <source>Hugging Face cache</source>
        <translation>Hugging Face 캐시</translation>
    </message>
    <message>
        <source>no device is ticked</source>
        <translation>선택한 장치 없음</translation>
    </message>
    <message>
        <source>fits</source>
        <translation>들어감</translation>
    </message>
    <message>
        <source>tight</source>
        <translation>빠듯함</translation>
    </message>
    <message>
        <source>does not fit</source>
        <translation>들어가지 않음</translation>
    </message>
    <message>
        <source>Estimated for one picture of %1 × %2.</source>
        <translation>%1 × %2 그림 한 장을 기준으로 어림한 값입니다.</translation>
    </message>
    <message>
        <source>%1: about %2 of %3</source>
        <translation>%1: %3 중 약 %2</translation>
    </message>
    <message>
        <source>%1: memory not known</source>
        <translation>%1: 메모리 크기를 알 수 없음</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Family</source>
        <translation>계열</translation>
    </message>
    <message>
        <source>On disk</source>
        <translation>디스크</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>정밀도</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>메모리</translation>
    </message>
    <message>
        <source>Parts are missing: %1</source>
        <translation>없는 부분: %1</translation>
    </message>
    <message>
        <source>Its weights are pickle files, which are never opened</source>
        <translation>가중치가 pickle 파일뿐입니다. 이런 파일은 열지 않습니다</translation>
    </message>
    <message>
        <source>This version does not run %1</source>
        <translation>이 버전은 %1 모델을 쓰지 못합니다</translation>
    </message>
    <message>
        <source>A single file; a folder in diffusers format is needed</source>
        <translation>단일 파일입니다. diffusers 형식의 폴더가 필요합니다</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::Page</name>
    <message>
        <source>Back (Esc)</source>
        <translation>뒤로 (Esc)</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>뒤로</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PictureFacts</name>
    <message>
        <source>yes</source>
        <translation>예</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>프롬프트</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>제외 프롬프트</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>시드</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>크기</translation>
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
        <source>Guidance rescale</source>
        <translation>가이던스 재조정</translation>
    </message>
    <message>
        <source>Scheduler</source>
        <translation>스케줄러</translation>
    </message>
    <message>
        <source>Clip skip</source>
        <translation>Clip skip</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Model hash</source>
        <translation>모델 해시</translation>
    </message>
    <message>
        <source>Arithmetic</source>
        <translation>연산</translation>
    </message>
    <message>
        <source>Noise</source>
        <translation>노이즈</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>배치</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>스레드</translation>
    </message>
    <message>
        <source>VAE in slices</source>
        <translation>VAE 나눠 처리</translation>
    </message>
    <message>
        <source>VAE in tiles</source>
        <translation>VAE 타일 처리</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>작업 묶음</translation>
    </message>
    <message>
        <source>Number in the run</source>
        <translation>작업 묶음 안 번호</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>만든 때</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>장치</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>시간</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1초</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>프로그램</translation>
    </message>
    <message>
        <source>File</source>
        <translation>파일</translation>
    </message>
    <message>
        <source>File size</source>
        <translation>파일 크기</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PresetSheet</name>
    <message>
        <source>Save the settings as a preset</source>
        <translation>설정을 프리셋으로 저장</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>이름</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>프리셋 이름</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>바꾸기</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>저장</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptFiles</name>
    <message>
        <source>%1 cannot be read. Check that it is there and that you may read it.</source>
        <translation>%1을(를) 읽을 수 없습니다. 파일이 있고 읽을 권한이 있는지 확인하면 됩니다.</translation>
    </message>
    <message>
        <source>%1 is larger than %2 MiB. Split it into several lists.</source>
        <translation>%1이(가) %2 MiB보다 큽니다. 여러 목록으로 나누면 됩니다.</translation>
    </message>
    <message>
        <source>%1 cannot be written. Choose another folder, or make room.</source>
        <translation>%1을(를) 쓸 수 없습니다. 다른 폴더를 고르거나 공간을 비우면 됩니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptListModel</name>
    <message numerus="yes">
        <source>Add %n prompt(s)</source>
        <translation>
            <numerusform>프롬프트 %n개 추가</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Remove %n prompt(s)</source>
        <translation>
            <numerusform>프롬프트 %n개 제거</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move %n prompt(s)</source>
        <translation>
            <numerusform>프롬프트 %n개 옮기기</numerusform>
        </translation>
    </message>
    <message>
        <source>Replace the list</source>
        <translation>목록 바꾸기</translation>
    </message>
    <message>
        <source>off</source>
        <translation>꺼짐</translation>
    </message>
    <message numerus="yes">
        <source>Edit %n prompt(s)</source>
        <translation>
            <numerusform>프롬프트 %n개 편집</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Turn %n prompt(s) on</source>
        <translation>
            <numerusform>프롬프트 %n개 켜기</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Turn %n prompt(s) off</source>
        <translation>
            <numerusform>프롬프트 %n개 끄기</numerusform>
        </translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>시드 %1</translation>
    </message>
    <message numerus="yes">
        <source>%n step(s)</source>
        <translation>
            <numerusform>%n스텝</numerusform>
        </translation>
    </message>
    <message>
        <source>guidance %1</source>
        <translation>가이던스 %1</translation>
    </message>
    <message>
        <source>negative</source>
        <translation>제외</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptPanel</name>
    <message>
        <source>a red sailing boat on the sea at sunset</source>
        <translation>해 질 녘 바다의 빨간 돛단배</translation>
    </message>
    <message>
        <source>a yellow house in the snow at night</source>
        <translation>밤의 눈밭에 있는 노란 집</translation>
    </message>
    <message>
        <source>a green balloon over a meadow</source>
        <translation>초원 위의 초록 열기구</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>프롬프트</translation>
    </message>
    <message>
        <source>New prompt</source>
        <translation>새 프롬프트</translation>
    </message>
    <message>
        <source>Type a prompt, or paste a list</source>
        <translation>프롬프트를 쓰거나 목록을 붙여넣기</translation>
    </message>
    <message>
        <source>More about prompts</source>
        <translation>프롬프트 메뉴</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptSheet</name>
    <message>
        <source>Negative prompt</source>
        <translation>제외 프롬프트</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>크기</translation>
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
        <source>Pictures per prompt</source>
        <translation>프롬프트당 그림</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>시드</translation>
    </message>
    <message>
        <source>Scheduler</source>
        <translation>스케줄러</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>프롬프트</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>적용</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
    <message>
        <source>Prompt %1</source>
        <translation>프롬프트 %1</translation>
    </message>
    <message numerus="yes">
        <source>%n prompt(s)</source>
        <translation>
            <numerusform>프롬프트 %n개</numerusform>
        </translation>
    </message>
    <message>
        <source>Various</source>
        <translation>여러 값</translation>
    </message>
    <message>
        <source>As all</source>
        <translation>공통</translation>
    </message>
    <message>
        <source>As all: %1</source>
        <translation>공통: %1</translation>
    </message>
    <message>
        <source>%1 of %2 tokens</source>
        <translation>토큰 %1 / %2</translation>
    </message>
    <message numerus="yes">
        <source>%n word(s) at the end are not read</source>
        <translation>
            <numerusform>끝의 단어 %n개는 읽지 않음</numerusform>
        </translation>
    </message>
    <message>
        <source>The prompt is empty. Type one, or cancel and remove the row.</source>
        <translation>프롬프트가 비어 있습니다. 내용을 쓰거나, 취소하고 줄을 제거하면 됩니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptTools</name>
    <message numerus="yes">
        <source>%n prompt(s) saved in %1.</source>
        <translation>
            <numerusform>프롬프트 %n개를 %1에 저장했습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>The settings are saved as “%1”.</source>
        <translation>설정을 ‘%1’(으)로 저장했습니다.</translation>
    </message>
    <message>
        <source>Open a prompt list</source>
        <translation>프롬프트 목록 열기</translation>
    </message>
    <message>
        <source>Prompt lists (*.txt *.csv *.tsv *.jsonl *.json);;All files (*)</source>
        <translation>프롬프트 목록 (*.txt *.csv *.tsv *.jsonl *.json);;모든 파일 (*)</translation>
    </message>
    <message>
        <source>Save the prompt list</source>
        <translation>프롬프트 목록 저장</translation>
    </message>
    <message>
        <source>With what differs (*.jsonl);;Prompts alone (*.txt)</source>
        <translation>줄마다 다른 설정 포함 (*.jsonl);;프롬프트만 (*.txt)</translation>
    </message>
    <message numerus="yes">
        <source>%n prompt(s) added from %1.</source>
        <translation>
            <numerusform>%1에서 프롬프트 %n개를 추가했습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>실행 취소</translation>
    </message>
    <message>
        <source>No preset yet</source>
        <translation>프리셋 없음</translation>
    </message>
    <message>
        <source>Remove a preset</source>
        <translation>프리셋 제거</translation>
    </message>
    <message>
        <source>The preset “%1” is removed.</source>
        <translation>프리셋 ‘%1’을(를) 제거했습니다.</translation>
    </message>
    <message>
        <source>The settings are those of “%1”.</source>
        <translation>프리셋 ‘%1’의 설정을 적용했습니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptView</name>
    <message>
        <source>Prompt %1</source>
        <translation>프롬프트 %1</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::QueueCommands</name>
    <message>
        <source>The queue is as it was before.</source>
        <translation>대기열을 전과 같이 되돌렸습니다.</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) cancelled.</source>
        <translation>
            <numerusform>그림 %n장을 취소했습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) wait again.</source>
        <translation>
            <numerusform>그림 %n장이 다시 기다립니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) moved to the front.</source>
        <translation>
            <numerusform>그림 %n장을 맨 앞으로 옮겼습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) moved.</source>
        <translation>
            <numerusform>그림 %n장을 옮겼습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) dismissed.</source>
        <translation>
            <numerusform>그림 %n장을 치웠습니다.</numerusform>
        </translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>실행 취소</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) wait again with other settings.</source>
        <translation>
            <numerusform>그림 %n장이 바꾼 설정으로 다시 기다립니다.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::QueueModel</name>
    <message>
        <source>Waiting</source>
        <translation>기다림</translation>
    </message>
    <message>
        <source>In work</source>
        <translation>작업 중</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>완료</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>실패</translation>
    </message>
    <message>
        <source>Parked</source>
        <translation>보류됨</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>취소됨</translation>
    </message>
    <message numerus="yes">
        <source>%n attempt(s)</source>
        <translation>
            <numerusform>시도 %n번</numerusform>
        </translation>
    </message>
    <message>
        <source>Run</source>
        <translation>작업 묶음</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>프롬프트</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>그림</translation>
    </message>
    <message>
        <source>State</source>
        <translation>상태</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>장치</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>이유</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::QueuePage</name>
    <message>
        <source>Jobs</source>
        <translation>작업</translation>
    </message>
    <message>
        <source>Time line</source>
        <translation>시간표</translation>
    </message>
    <message>
        <source>State</source>
        <translation>상태</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>작업 묶음</translation>
    </message>
    <message>
        <source>To the front</source>
        <translation>맨 앞으로</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>다시 시도</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>바꾸기…</translation>
    </message>
    <message>
        <source>Put it into the queue again with other settings</source>
        <translation>다른 설정으로 대기열에 다시 넣기</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>닫기</translation>
    </message>
    <message>
        <source>Close the queue</source>
        <translation>대기열 닫기</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>대기열</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>미완료</translation>
    </message>
    <message>
        <source>All runs</source>
        <translation>모든 작업 묶음</translation>
    </message>
    <message>
        <source>Nothing waits. What you generate stands here until it is made.</source>
        <translation>기다리는 작업이 없습니다. 만들 그림은 완성될 때까지 여기에 있습니다.</translation>
    </message>
    <message>
        <source>There is no such job.</source>
        <translation>해당하는 작업이 없습니다.</translation>
    </message>
    <message>
        <source>Every picture of these jobs is there already.</source>
        <translation>이 작업의 그림은 모두 있습니다.</translation>
    </message>
    <message>
        <source>%L1 selected</source>
        <translation>%L1개 고름</translation>
    </message>
    <message>
        <source>There is nothing to undo in the queue.</source>
        <translation>대기열에 실행 취소할 것이 없습니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RequeueSheet</name>
    <message>
        <source>Prompt</source>
        <translation>프롬프트</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>제외 프롬프트</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>크기</translation>
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
        <source>Scheduler</source>
        <translation>스케줄러</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>시드</translation>
    </message>
    <message>
        <source>As before</source>
        <translation>이전 그대로</translation>
    </message>
    <message>
        <source>Put into the queue</source>
        <translation>대기열에 넣기</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
    <message numerus="yes">
        <source>Make %n job(s) again, changed</source>
        <translation>
            <numerusform>작업 %n개를 바꾸어 다시 만들기</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunCost</name>
    <message numerus="yes">
        <source>%n s</source>
        <translation>
            <numerusform>%n초</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n min</source>
        <translation>
            <numerusform>%n분</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1시간 %2분</translation>
    </message>
    <message>
        <source>%1 d %2 h</source>
        <translation>%1일 %2시간</translation>
    </message>
    <message numerus="yes">
        <source>about %1 on %n device(s)</source>
        <translation>
            <numerusform>장치 %n개로 약 %1</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunEndings</name>
    <message>
        <source>Undo</source>
        <translation>실행 취소</translation>
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
        <source>%n picture(s) failed.</source>
        <translation>
            <numerusform>그림 %n장을 만들지 못했습니다.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All %n picture(s) are there.</source>
        <translation>
            <numerusform>그림 %n장을 만들었습니다.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunForm</name>
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
        <source>There is no prompt yet. Type one in the list on the left.</source>
        <translation>아직 프롬프트가 없습니다. 왼쪽 목록에 하나를 쓰면 됩니다.</translation>
    </message>
    <message numerus="yes">
        <source>%L1 picture(s)</source>
        <translation>
            <numerusform>그림 %L1장</numerusform>
        </translation>
    </message>
    <message>
        <source>Every prompt is turned off. Turn one on, or type another.</source>
        <translation>모든 프롬프트가 꺼져 있습니다. 하나를 켜거나 새로 쓰면 됩니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunSettings</name>
    <message>
        <source>The size is width × height, both multiples of 8 from %1 to %2, such as 512 × 768.</source>
        <translation>크기는 너비 × 높이로 쓰며, 둘 다 %1에서 %2까지의 8의 배수입니다. 예: 512 × 768.</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
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
        <source>Per prompt</source>
        <translation>프롬프트당</translation>
    </message>
    <message>
        <source>Seeds</source>
        <translation>시드 방식</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>시드</translation>
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
        <source>Pictures per prompt</source>
        <translation>프롬프트당 그림</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>프리셋</translation>
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
        <source>No model was found on this machine. Choose a folder with a Stable Diffusion model in diffusers format.</source>
        <translation>이 컴퓨터에서 모델을 찾지 못했습니다. diffusers 형식의 Stable Diffusion 모델 폴더를 고르면 됩니다.</translation>
    </message>
    <message>
        <source>Model&apos;s own</source>
        <translation>모델 기본</translation>
    </message>
    <message>
        <source>Model&apos;s best</source>
        <translation>모델에 맞게</translation>
    </message>
    <message>
        <source>Random</source>
        <translation>무작위</translation>
    </message>
    <message>
        <source>Counting up</source>
        <translation>1씩 늘리기</translation>
    </message>
    <message>
        <source>Same for each prompt</source>
        <translation>프롬프트마다 같게</translation>
    </message>
    <message>
        <source>Drawn for each run</source>
        <translation>실행할 때 정해짐</translation>
    </message>
    <message>
        <source>No model is chosen. Choose a folder with a Stable Diffusion model in diffusers format.</source>
        <translation>고른 모델이 없습니다. diffusers 형식의 Stable Diffusion 모델 폴더를 고르면 됩니다.</translation>
    </message>
    <message>
        <source>The seed is a whole number from 0 to 18446744073709551615, or nothing for a random one.</source>
        <translation>시드는 0에서 18446744073709551615까지의 정수입니다. 비워 두면 무작위입니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::SettingsPage</name>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>모양</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>언어</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>밝게</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>어둡게</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>테마</translation>
    </message>
    <message>
        <source>Reduce motion</source>
        <translation>움직임 줄이기</translation>
    </message>
    <message>
        <source>Nothing fades in or out.</source>
        <translation>서서히 나타나거나 사라지는 것이 없습니다.</translation>
    </message>
    <message>
        <source>Show pictures while they are made</source>
        <translation>만드는 중인 그림 보이기</translation>
    </message>
    <message>
        <source>From the next run on.</source>
        <translation>다음 작업 묶음부터 적용됩니다.</translation>
    </message>
    <message>
        <source> a second</source>
        <translation>회/초</translation>
    </message>
    <message>
        <source>Previews of each device, at most</source>
        <translation>장치마다 미리보기 최대 횟수</translation>
    </message>
    <message>
        <source>Notify when everything is made</source>
        <translation>모두 만들면 알리기</translation>
    </message>
    <message>
        <source>Only while the window is not in front.</source>
        <translation>창이 앞에 있지 않을 때만 알립니다.</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>묻기</translation>
    </message>
    <message>
        <source>Go on without the window</source>
        <translation>창 없이 계속하기</translation>
    </message>
    <message>
        <source>Finish what is being made</source>
        <translation>만드는 중인 것만 마치기</translation>
    </message>
    <message>
        <source>Stop now</source>
        <translation>지금 중지하기</translation>
    </message>
    <message>
        <source>When the window closes over its work</source>
        <translation>작업 중에 창을 닫을 때</translation>
    </message>
    <message>
        <source>What is not made stays in the queue in every case.</source>
        <translation>어느 경우든 만들지 않은 것은 대기열에 남습니다.</translation>
    </message>
    <message>
        <source>Folders</source>
        <translation>폴더</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>보관함</translation>
    </message>
    <message>
        <source>Holds the pictures, their data and the queue. Work in the library that is left goes on.</source>
        <translation>그림과 그 정보, 대기열이 들어 있습니다. 떠난 보관함의 작업은 계속됩니다.</translation>
    </message>
    <message>
        <source>Model folders</source>
        <translation>모델 폴더</translation>
    </message>
    <message>
        <source>Open another…</source>
        <translation>다른 것 열기…</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>모델…</translation>
    </message>
    <message>
        <source>Open another library</source>
        <translation>다른 보관함 열기</translation>
    </message>
    <message>
        <source>Devices and limits</source>
        <translation>장치와 한도</translation>
    </message>
    <message>
        <source> min</source>
        <translation>분</translation>
    </message>
    <message>
        <source>never</source>
        <translation>안 함</translation>
    </message>
    <message>
        <source>The model is loaded again when there is work.</source>
        <translation>일이 생기면 모델을 다시 불러옵니다.</translation>
    </message>
    <message>
        <source>The library has not told its limits yet.</source>
        <translation>아직 보관함의 한도를 알 수 없습니다.</translation>
    </message>
    <message>
        <source>System</source>
        <translation>시스템</translation>
    </message>
    <message>
        <source>While working</source>
        <translation>작업하는 동안</translation>
    </message>
    <message>
        <source>Free an idle device&apos;s memory after</source>
        <translation>쉬는 장치의 메모리 비우기</translation>
    </message>
    <message>
        <source>End an idle worker after</source>
        <translation>쉬는 작업 프로세스 끝내기</translation>
    </message>
    <message>
        <source>Park a picture after this many crashes</source>
        <translation>그림을 보류하는 비정상 종료 횟수</translation>
    </message>
    <message>
        <source>Set a device aside after this many failures in a row</source>
        <translation>장치 사용을 중지하는 연속 실패 횟수</translation>
    </message>
    <message>
        <source>Pause the queue after this many failures in a row</source>
        <translation>대기열을 일시 정지하는 연속 실패 횟수</translation>
    </message>
    <message>
        <source>Computer memory to keep free</source>
        <translation>비워 둘 컴퓨터 메모리</translation>
    </message>
    <message>
        <source>Models load one after another where it would run short.</source>
        <translation>모자라게 되면 모델을 하나씩 차례로 불러옵니다.</translation>
    </message>
    <message>
        <source>Make a smaller picture when memory runs out</source>
        <translation>메모리가 모자라면 더 작은 그림 만들기</translation>
    </message>
    <message>
        <source>Another picture than the one that was asked for; it says so.</source>
        <translation>요청한 것과 다른 그림이며, 그렇다고 표시됩니다.</translation>
    </message>
    <message>
        <source>Kept with this library.</source>
        <translation>이 보관함에 저장됩니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ShortcutModel</name>
    <message>
        <source>no keys</source>
        <translation>키 없음</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ShortcutPage</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>단축키</translation>
    </message>
    <message>
        <source>Find an action or keys</source>
        <translation>동작이나 키 찾기</translation>
    </message>
    <message>
        <source>Actions and their keys</source>
        <translation>동작과 키</translation>
    </message>
    <message>
        <source>Change keys</source>
        <translation>키 바꾸기</translation>
    </message>
    <message>
        <source>Remove keys</source>
        <translation>키 없애기</translation>
    </message>
    <message>
        <source>Back to default</source>
        <translation>기본값으로</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>모두 기본값으로</translation>
    </message>
    <message>
        <source>Use them here</source>
        <translation>여기에 쓰기</translation>
    </message>
    <message>
        <source>Leave as it is</source>
        <translation>그대로 두기</translation>
    </message>
    <message>
        <source>“%1” has %2 now.</source>
        <translation>%2 키는 지금 “%1”에 쓰입니다.</translation>
    </message>
    <message>
        <source>New keys for “%1”. Esc leaves it as it is.</source>
        <translation>“%1”에 쓸 새 키를 누르십시오. Esc를 누르면 그대로 둡니다.</translation>
    </message>
    <message>
        <source>%1 belongs to “%2”.</source>
        <translation>%1 키는 “%2”에 쓰이고 있습니다.</translation>
    </message>
    <message>
        <source>Enter on an action gives it other keys. Every action is also in the action list, with %1.</source>
        <translation>동작에서 Enter를 누르면 다른 키를 정합니다. 모든 동작은 %1 키로 여는 동작 목록에도 있습니다.</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::SidePanels</name>
    <message>
        <source>Prompts and settings</source>
        <translation>프롬프트와 설정</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>장치</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::StopCommands</name>
    <message>
        <source>There was nothing to stop.</source>
        <translation>중지할 것이 없었습니다.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>실행 취소</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) stopped.</source>
        <translation>
            <numerusform>그림 %n장을 중지했습니다.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::TimeLine</name>
    <message>
        <source>Time line: which device made what when</source>
        <translation>시간표: 어느 장치가 언제 무엇을 만들었는지</translation>
    </message>
    <message numerus="yes">
        <source>%n attempt(s)</source>
        <translation>
            <numerusform>시도 %n번</numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing was made in this time. Every picture that is made gets a bar here.</source>
        <translation>이 시간에 만든 그림이 없습니다. 그림을 만들 때마다 여기에 막대가 생깁니다.</translation>
    </message>
    <message>
        <source>in work</source>
        <translation>작업 중</translation>
    </message>
    <message>
        <source>done</source>
        <translation>완료</translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation>취소됨</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>실패</translation>
    </message>
    <message>
        <source>the worker was lost</source>
        <translation>작업 프로세스가 끝남</translation>
    </message>
    <message>
        <source>Polyptych was ended</source>
        <translation>Polyptych가 꺼짐</translation>
    </message>
    <message>
        <source>given back</source>
        <translation>돌려놓음</translation>
    </message>
    <message numerus="yes">
        <source>Run %1, %n picture(s) from %2</source>
        <translation>
            <numerusform>작업 묶음 %1, %2번부터 그림 %n장</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1초</translation>
    </message>
    <message>
        <source>d MMM</source>
        <extracomment>a day of the axis; of QLocale&apos;s letters</extracomment>
        <translation>M월 d일</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::TopBar</name>
    <message>
        <source>Stop</source>
        <translation>중지</translation>
    </message>
    <message>
        <source>What to stop</source>
        <translation>중지할 대상</translation>
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
        <source>Progress of all pictures</source>
        <translation>전체 그림 진행 상황</translation>
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
        <source>paused</source>
        <translation>일시 정지됨</translation>
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
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>done on %1</source>
        <comment>a day and a time of day</comment>
        <translation>%1 완료 예정</translation>
    </message>
</context>
<context>
    <name>polyptych::ui::WindowShell</name>
    <message>
        <source>Polyptych menu</source>
        <translation>Polyptych 메뉴</translation>
    </message>
    <message>
        <source>Menu</source>
        <translation>메뉴</translation>
    </message>
</context>
</TS>
